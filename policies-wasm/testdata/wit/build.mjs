// Makes last.wasm, a component, of last.wat and policy.wit: node build.mjs, in this folder. It
// needs the npm package @bytecodealliance/jco, which has wasm-tools in it.
import { parse, componentEmbed, componentNew } from '@bytecodealliance/jco';
import fs from 'fs';
const core = await parse(fs.readFileSync('last.wat', 'utf8'));
const witSource = fs.readFileSync('../../wit/policy.wit', 'utf8');
fs.writeFileSync('last.wasm', await componentNew(await componentEmbed({ binary: core, witSource, world: 'cache' }), []));
