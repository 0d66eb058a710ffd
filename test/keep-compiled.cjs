// Loaded before jest in each of its processes by test/main.ts. jest loads every module again for each suite, so that no suite sees what another
// one changed, and also compiles it again, which takes a seventh of the CPU of the unit tests. A compiled script has no state: it is kept
// here, and run in the globals of each suite.
const vm = require('node:vm');

const { compileFunction } = vm;
const kept = new Map();

vm.compileFunction = (original, parameters = [], options = {}) => {
  const { filename, parsingContext } = options;
  const source = /[/\\]jest-circus[/\\]build[/\\]\w+\.js$/.test(filename)
    ? withoutContexts(original)
    : original;
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

/**
 * jest remembers by an AsyncLocalStorage of each suite which test runs, and leaves it switched on: each promise then pays for all suites
 * that its process ever ran. After 28 of them the tests of the keeper take 18 s of CPU instead of 5. Our tests run one after the other, so
 * that a variable does as well: an error that nobody awaits fails the test that runs.
 */
function withoutContexts(source) {
  const storage = 'new _nodeAsync_hooks.AsyncLocalStorage()';
  if (source.includes('AsyncLocalStorage') && !source.includes(storage))
    throw new Error('jest-circus remembers in another way which test runs: see test/keep-compiled.cjs');
  return source.replaceAll(storage, `(${oneAtATime})()`);
}

/** Has what jest uses of an AsyncLocalStorage. Runs within a suite, as text. */
function oneAtATime() {
  let current;
  return {
    getStore: () => current,
    run(store, callback) {
      const before = current;
      const leave = () => {
        current = before;
      };
      current = store;
      const result = callback();
      result.then(leave, leave);
      return result;
    },
  };
}
