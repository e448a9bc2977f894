// Makes component.wasm of component.wit: node component.mjs, in this folder. It needs the npm
// package @bytecodealliance/jco, which has wasm-tools in it.
import { parse, componentEmbed, componentNew } from '@bytecodealliance/jco';
import fs from 'fs';
const core = await parse(`(module (memory (export "memory") 1)
 (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
 (func (export "cachesim:micro/product@1.0.0#multiply") (param i32 i32) (result i32)
  (i32.mul (local.get 0) (local.get 1))))`);
const witSource = fs.readFileSync('component.wit', 'utf8');
fs.writeFileSync('component.wasm', await componentNew(await componentEmbed({ binary: core, witSource, world: 'micro' }), []));
