// gunzip.go - Go's compress/gzip: MODE FILE, to stdout.
// all: as it is. first: after Multistream(false).
package main

import (
	"compress/gzip"
	"io"
	"log"
	"os"
)

func main() {
	file, err := os.Open(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	z, err := gzip.NewReader(file)
	if err != nil {
		log.Fatal(err)
	}
	if os.Args[1] == "first" {
		z.Multistream(false)
	}
	if _, err = io.Copy(os.Stdout, z); err != nil {
		log.Fatal(err)
	}
}
