/* gunzip.js - Node's zlib: MODE FILE, to stdout. sync: gunzipSync. web: the
 * DecompressionStream that browsers have, too. N: createGunzip(), written N
 * bytes at a time. */
const fs = require('fs');
const zlib = require('zlib');
const {Readable} = require('stream');
const [mode, name] = process.argv.slice(2);

function* pieces(bytes, size) {
    for (let at = 0; at < bytes.length; at += size)
        yield bytes.subarray(at, at + size);
}

async function web() {
    const out = new Blob([fs.readFileSync(name)]).stream()
        .pipeThrough(new DecompressionStream('gzip'));
    for await (const piece of out)
        fs.writeSync(1, piece);
}

if (mode === 'sync')
    fs.writeSync(1, zlib.gunzipSync(fs.readFileSync(name)));
else if (mode === 'web')
    web();
else
    Readable.from(pieces(fs.readFileSync(name), Number(mode)))
        .pipe(zlib.createGunzip()).pipe(process.stdout);
