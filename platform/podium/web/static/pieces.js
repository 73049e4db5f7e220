// A large file goes in pieces (tus 1.0): what breaks off goes on where it was, after a reload too.
// `piecewise(input)` gives a function that brings a file and promises the name it has here.
"use strict";

const piecewise = (input) => {
  const { uploads, tus: address } = input.dataset;
  const pauses = [0, 1000, 3000, 5000, 10000, 20000]; // milliseconds before the next try
  let library, current;

  function load() {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.addEventListener("load", () => resolve(window.tus));
      script.addEventListener("error", () => { library = undefined; reject(new Error(address)); });
      script.src = address;
      document.head.append(script);
    });
    return library;
  }

  async function send(file, tell) {
    const { Upload } = await load();
    return new Promise((resolve, reject) => {
      const upload = new Upload(file, {
        endpoint: uploads,
        chunkSize: Number(input.dataset.pieces),
        retryDelays: pauses,
        metadata: { filename: file.name },
        headers: { "X-CSRFToken": input.form.elements.csrf_token.value },
        onProgress: (sent, size) => tell(sent / size),
        onSuccess: () => resolve(upload.url.split("/").pop()),
        onError: reject,
      });
      upload.findPreviousUploads().then(([latest]) => {
        if (latest) upload.resumeFromPreviousUpload(latest);
        upload.start();
      }, reject);
    });
  }

  return (file, tell) => {
    if (current?.file !== file) {
      const listeners = new Set();
      const promise = send(file, (share) => listeners.forEach((one) => one(share)));
      promise.catch(() => { current = undefined; }); // asked again, it goes on
      current = { file, listeners, promise };
    }
    current.listeners.add(tell);
    return current.promise;
  };
};
