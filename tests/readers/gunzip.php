<?php
/* gunzip.php - PHP's zlib: MODE FILE, to stdout. */
[, $mode, $name] = $argv;
ini_set('memory_limit', '-1');
$out = match ($mode) {
    'gzfile' => implode('', gzfile($name)),
    'readgzfile' => readgzfile($name) === false ? false : '',
    'stream' => file_get_contents("compress.zlib://$name"),
    'gzdecode' => gzdecode(file_get_contents($name)),
    'inflate' => inflate_add(inflate_init(ZLIB_ENCODING_GZIP),
                             file_get_contents($name)),
};
if ($out === false)
    exit(1);
echo $out;
