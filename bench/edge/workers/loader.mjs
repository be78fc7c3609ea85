// A fresh isolate for each request, in a process that runs already, as a network of edges starts them: `loader` makes
// one of the contender that the request names, and hands the request to it. Its modules are this Worker's bindings.

const CONTENDER = 'bench-contender';

let isolates = 0;

export default {
  fetch(request, bindings) {
    const name = request.headers.get(CONTENDER);
    isolates += 1;
    const isolate = bindings.LOADER.get(`${name} ${isolates}`, () => described(JSON.parse(bindings.CONTENDERS)[name], bindings));
    return isolate.getEntrypoint().fetch(request);
  },
};

// `main` and `modules` name bindings; a text is JavaScript, octets are WebAssembly.
function described({ compatibilityDate, compatibilityFlags, main, modules, env }, bindings) {
  const module = (name) => {
    const content = bindings[modules[name]];
    return [name, typeof content === 'string' ? { js: content } : { wasm: content }];
  };
  return {
    compatibilityDate,
    compatibilityFlags,
    mainModule: main,
    modules: Object.fromEntries(Object.keys(modules).map(module)),
    env,
  };
}
