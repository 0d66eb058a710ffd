// Loaded before jest in each of its processes by test/main.ts. jest loads every module again for each suite, so that no suite sees what another
// one changed, and also compiles it again, which takes a seventh of the CPU of the unit tests. A compiled script has no state: it is kept
// here, and run in the globals of each suite.
const vm = require('node:vm');

const { compileFunction } = vm;
const kept = new Map();

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
