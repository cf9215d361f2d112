// unzstd.go - klauspost/compress, what Go programs use: FILE, to stdout.
package main

import (
	"github.com/klauspost/compress/zstd"
	"io"
	"log"
	"os"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	z, err := zstd.NewReader(file)
	if err != nil {
		log.Fatal(err)
	}
	if _, err = io.Copy(os.Stdout, z); err != nil {
		log.Fatal(err)
	}
}
