// Compiles every module below a folder to bytecode of the Lambda runtime's Python, whatever Python runs the synth:
// Pyodide is CPython 3.13 as WebAssembly. Usage: node compile.mjs FOLDER; prints the version of that Python.
//
// Unchecked: a deployment package's files are all dated 1980, so bytecode that is checked against them is never used.
import { loadPyodide } from "pyodide";

const python = await loadPyodide();
python.FS.mkdirTree("/asset");
python.FS.mount(python.FS.filesystems.NODEFS, { root: process.argv[2] }, "/asset");
console.log(
  python.runPython(`
import compileall, platform, py_compile
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
# Tracebacks show the path the file has in the function.
complete = compileall.compile_dir("/asset", quiet=1, invalidation_mode=unchecked, stripdir="/asset", prependdir="/var/task")
platform.python_version() if complete else exit("loopbreaker: some module does not compile; see above")
`),
);
