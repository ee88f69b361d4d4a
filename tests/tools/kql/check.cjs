// Parses and schema-checks KQL with Microsoft's own parser.
//
//   node check.cjs FOLDER-OF-THE-PACKAGE < request > answer
//
// request: {"tables": {name: "(Column: type, ...)"}, "scripts": [{"name", "text"}]}, in order.
//   A script is a query, or management commands with blank lines between them. What a command
//   creates, the ones behind it know.
// answer: {"commands": [{"script", "line", "name", "faults": [text], "columns": {name: type} | null}],
//          "tables": {name: {column: type}}}
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

// A plain require() of the package fails: its files expect to be scripts of one page.
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(process.argv[2], file), "utf8"), { filename: file });
}
const { KustoCode, GlobalState, Symbols, Syntax } = globalThis.Kusto.Language;

const TABLE = /^\.create-merge table (\w+) (\([^]*?\)) *(?:with|$)/m;
const FUNCTION = /^\.create-or-alter function (?:with \([^)]*\) *)?(\w+) *(\([^{]*\)) *(\{[^]*\})\s*$/m;

const tables = new Map();
const functions = new Map();
const made = []; // names of both, in the order of the commands that make them
let state = null; // a state costs more than most parses: one serves all

function register(text) {
  const table = TABLE.exec(text);
  const found = FUNCTION.exec(text);
  if (table) tables.set(table[1], new Symbols.TableSymbol.$ctor7(table[1], table[2], null));
  if (found) functions.set(found[1], new Symbols.FunctionSymbol.$ctor16(found[1], found[2], found[3], null));
  if (table || found) made.push((table || found)[1]);
}

function analyse(text) {
  if (state === null) {
    const members = [...tables.values(), ...functions.values()];
    state = GlobalState.Default.WithCache().WithDatabase(new Symbols.DatabaseSymbol.ctor("PromptLedger", members));
  }
  return KustoCode.ParseAndAnalyze(text, state);
}

function listOf(list) {
  return Array.from({ length: list.Count }, (_, place) => list.getItem(place));
}

function columnsOf(type) {
  if (!type || !type.Columns) return null;
  return Object.fromEntries(listOf(type.Columns).map((column) => [column.Name, column.Type.Name]));
}

// The parser takes any word behind the dot and says nothing: only the kind of the node tells.
function isUnknown(node) {
  if (node.Kind === Syntax.SyntaxKind.UnknownCommand) return true;
  // Not below a command of a kind: a function's body is long.
  if (node.Kind === Syntax.SyntaxKind.CustomCommand || node.Kind === Syntax.SyntaxKind.QueryBlock) return false;
  const children = Array.from({ length: node.ChildCount || 0 }, (_, place) => node.GetChild(place));
  return children.some((child) => child && isUnknown(child));
}

function faultsOf(text, code) {
  if (isUnknown(code.Syntax)) return ["line 1: no command that Data Explorer knows"];
  return listOf(code.GetDiagnostics()).map((fault) => {
    const line = text.slice(0, fault.Start).split("\n").length;
    return `line ${line}: ${fault.Message} [${text.slice(fault.Start, fault.Start + 40)}]`;
  });
}

// A call is bound with each parameter's type.
const EXAMPLES = {
  bool: "true", datetime: "now()", dynamic: "dynamic({})", int: "int(1)", long: "1", real: "1.0", string: "''",
};

function columnsOfCall(name, parameters) {
  const values = [...parameters.matchAll(/\w+ *: *(\w+)/g)].map(([, type]) => EXAMPLES[type]);
  const call = `${name}(${values.join(", ")})`;
  const code = analyse(call);
  return { faults: faultsOf(call, code), columns: columnsOf(code.ResultType) };
}

// The state knows everything at once; the database learns one command after the other.
function tooEarly(name, text) {
  const later = made.slice(made.indexOf(name) + 1);
  return later.filter((other) => new RegExp(`(?<![\\w.'])${other}(?![\\w'])`).test(text.replace(/'[^'\n]*'/g, "''")))
    .map((other) => `line 1: ${other} is made only later`);
}

function check(script, line, text) {
  const code = analyse(text);
  const answer = { script: script.name, line, name: null, faults: faultsOf(text, code), columns: null };
  const table = TABLE.exec(text);
  const found = FUNCTION.exec(text);
  if (table) {
    answer.name = table[1];
    answer.columns = columnsOf(tables.get(table[1]));
  } else if (found) {
    const told = columnsOfCall(found[1], found[2]);
    answer.name = found[1];
    answer.faults.push(...told.faults, ...tooEarly(found[1], found[3].replace(/\/\/.*/g, "")));
    answer.columns = told.columns;
  } else if (code.Kind === "Query") {
    answer.columns = columnsOf(code.ResultType);
  }
  return answer;
}

function blocksOf(text) {
  if (!/^\./m.test(text)) return [[1, text]];
  const blocks = [];
  for (const found of text.matchAll(/(?:^|\n)((?:[^\n]*\S[^\n]*(?:\n|$))+)/g)) {
    const line = text.slice(0, found.index + found[0].indexOf(found[1])).split("\n").length;
    if (/^\s*(?!\/\/)\S/m.test(found[1])) blocks.push([line, found[1]]);
  }
  return blocks;
}

const request = JSON.parse(fs.readFileSync(0, "utf8"));
for (const [name, schema] of Object.entries(request.tables)) {
  tables.set(name, new Symbols.TableSymbol.$ctor7(name, schema, null));
}
const blocks = request.scripts.flatMap((script) => blocksOf(script.text).map(([line, text]) => [script, line, text]));
blocks.forEach(([, , text]) => register(text));
const commands = blocks.map(([script, line, text]) => check(script, line, text));
const known = Object.fromEntries([...tables].map(([name, table]) => [name, columnsOf(table)]));
process.stdout.write(JSON.stringify({ commands, tables: known }));
