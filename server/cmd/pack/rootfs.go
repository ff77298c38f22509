package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"os"
	"time"

	"container-registry/server/internal/ownership"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is the ID that the server runs as. Usually nobody else on a host has it.
const user = ownership.User

const (
	passwd = "root:x:0:0:root:/:/sbin/nologin\nregistry:x:65532:65532:registry:/var/lib/registry:/sbin/nologin\n"
	group  = "root:x:0:\nregistry:x:65532:\n"
)

// file is a file of the image, or a directory if it has no content.
type file struct {
	name    string
	mode    int64
	owner   int
	content []byte
}

// rootFileSystem is the whole file system of the image as one uncompressed tar.
func rootFileSystem(binary string, created time.Time) ([]byte, error) {
	server, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	return tarOf([]file{
		{name: "etc/", mode: 0o755},
		{name: "etc/container-registry/", mode: 0o700, owner: user},
		{name: "etc/group", mode: 0o644, content: []byte(group)},
		{name: "etc/passwd", mode: 0o644, content: []byte(passwd)},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: authorities()},
		{name: "registry", mode: 0o755, content: server},
		{name: "tmp/", mode: 0o1777, owner: user},
		{name: "var/", mode: 0o755},
		{name: "var/lib/", mode: 0o755},
		{name: "var/lib/registry/", mode: 0o700, owner: user},
		{name: "var/log/", mode: 0o755},
		{name: "var/log/container-registry/", mode: 0o700, owner: user},
	}, created)
}

// authorities are Mozilla's root certificates, which storage services are checked
// against. Those that are trusted only under conditions are left out, as the file
// format cannot express the conditions.
func authorities() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			// Writing to a buffer cannot fail.
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return b.Bytes()
}

func tarOf(files []file, created time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg,
			Name:     f.name,
			Mode:     f.mode,
			Uid:      f.owner,
			Gid:      f.owner,
			Size:     int64(len(f.content)),
			ModTime:  created,
			Format:   tar.FormatUSTAR,
		}
		if f.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
