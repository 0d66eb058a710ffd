// Loaded before jest in each of its processes by test/main.ts. It spares jest work that it repeats, or leaves behind, for each suite.
const hooks = require('node:async_hooks');
const vm = require('node:vm');

const { compileFunction } = vm;
const kept = new Map();

/**
 * jest loads every module again for each suite, so that no suite sees what another one changed, and also compiles it again, which takes a
 * seventh of the CPU of the unit tests. A compiled script has no state: it is kept here, and run in the globals of each suite.
 */
vm.compileFunction = (source, parameters = [], options = {}) => {
  const { filename, parsingContext } = options;
  // jest's own way: code with `import()` needs the suite that asks.
  if (filename === undefined || parsingContext === undefined || source.includes('import('))
    return compileFunction(source, parameters, options);
  const head = `(function (${parameters.join(', ')}) {`;
  let known = kept.get(filename);
  if (known?.source !== source || known.head !== head) {
    // Without the head, so that errors name the right column of the first line.
    const script = new vm.Script(`${head}${source}\n})`, { filename, columnOffset: -head.length });
    known = { source, head, script };
    kept.set(filename, known);
  }
  return known.script.runInContext(parsingContext);
};

const { AsyncLocalStorage } = hooks;
let ofLastSuite;

/**
 * jest-circus remembers in an AsyncLocalStorage which test runs, and leaves that of each suite switched on. In Node 20, each promise then
 * pays for all suites that its process has run: after 28 of them, the unit tests of the keeper take 18 s of CPU instead of 5. A process
 * runs one suite at a time, so the storage of the one before is switched off.
 */
hooks.AsyncLocalStorage = class extends AsyncLocalStorage {
  constructor(...options) {
    super(...options);
    if (!/[/\\]jest-circus[/\\]/.test(new Error().stack)) return;
    ofLastSuite?.disable();
    ofLastSuite = this;
  }
};
