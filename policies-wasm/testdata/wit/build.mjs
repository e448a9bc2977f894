// Makes components of policy.wit, in this folder: last.wasm of last.wat, and lru.wasm of a core
// module that `cachesim policy new lru --lang c --wit --from lru` and its build.sh make.
//
//   node build.mjs
//   node build.mjs lru/lru.wasm lru.wasm
//
// It needs the npm package @bytecodealliance/jco, which has wasm-tools in it.
import { parse, componentEmbed, componentNew } from '@bytecodealliance/jco';
import fs from 'fs';
const [core, component] = process.argv.slice(2);
const binary = core ? fs.readFileSync(core) : await parse(fs.readFileSync('last.wat', 'utf8'));
const witSource = fs.readFileSync('../../wit/policy.wit', 'utf8');
fs.writeFileSync(component ?? 'last.wasm', await componentNew(await componentEmbed({ binary, witSource, world: 'cache' }), []));
