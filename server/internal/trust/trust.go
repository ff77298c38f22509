// Package trust makes the Docker engine of a node trust a registry's CA for as long as a
// task of a Swarm runs there.
package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sirupsen/logrus"
)

// Place is where an engine looks for the CAs of registries. The engine reads every file
// in the folder of an address that ends with .crt, so a separate file is enough, and
// nobody else's file is touched.
type Place struct {
	// Folder is the engine's certs.d.
	Folder string
	// Owner names the file.
	Owner string
	// Addresses of the registry as in image names: host:port.
	Addresses []string
}

// Check says what is wrong with a place.
func (p Place) Check() error {
	for _, name := range append([]string{p.Owner}, p.Addresses...) {
		if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\x00") {
			return fmt.Errorf("%q is no name of a file", name)
		}
	}
	return nil
}

func (p Place) files() (files []string) {
	for _, address := range p.Addresses {
		files = append(files, filepath.Join(p.Folder, address, p.Owner+".crt"))
	}
	return files
}

// Keep installs the certificates, waits until ctx ends, and removes what it installed.
func Keep(ctx context.Context, place Place, certificates []byte, log *logrus.Entry) error {
	var installed []installation
	defer func() {
		for _, each := range installed {
			if err := each.remove(place.Folder); err != nil {
				log.WithError(err).Errorf("%s could not be removed", each.file)
				continue
			}
			log.Infof("%s: removed", each.file)
		}
	}()
	for _, file := range place.files() {
		made, err := install(file, certificates)
		if err != nil {
			return err
		}
		installed = append(installed, made)
		log.Infof("%s: installed", file)
	}
	<-ctx.Done()
	return nil
}

// Installed succeeds when every file has the certificates.
func Installed(place Place, certificates []byte) error {
	for _, file := range place.files() {
		switch found, err := os.ReadFile(file); {
		case err != nil:
			return err
		case !bytes.Equal(found, certificates):
			return fmt.Errorf("%s has other certificates", file)
		}
	}
	return nil
}

// installation is a file that this process wrote.
type installation struct {
	file    string
	content []byte
	info    fs.FileInfo
}

// install writes a file that is either complete or not there at all.
func install(file string, content []byte) (installation, error) {
	temporary, err := temporaryFor(file)
	if err != nil {
		return installation{}, err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Sync())
	info, statErr := temporary.Stat()
	if err = errors.Join(err, statErr, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	return installation{file, content, info}, err
}

// temporaryFor also makes the folders. A predecessor that ends may remove them again
// before there is a file in them.
func temporaryFor(file string) (*os.File, error) {
	folder := filepath.Dir(file)
	for try := 1; ; try++ {
		err := os.MkdirAll(folder, 0o755)
		if err == nil {
			var temporary *os.File
			// The engine complains of any other file whose name ends with .crt, .cert or .key.
			if temporary, err = os.CreateTemp(folder, "."+filepath.Base(file)+".*.tmp"); err == nil {
				return temporary, nil
			}
		}
		if !errors.Is(err, fs.ErrNotExist) || try == 1000 {
			return nil, err
		}
	}
}

// remove deletes the file, unless a successor or somebody else has replaced or changed it,
// and then the folders that are empty without it.
func (i installation) remove(root string) error {
	now, err := os.Lstat(i.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !os.SameFile(now, i.info) {
		return nil
	}
	if content, err := os.ReadFile(i.file); err != nil || !bytes.Equal(content, i.content) {
		return err
	}
	if err := os.Remove(i.file); err != nil {
		return err
	}
	// Folders that are not empty stay.
	if os.Remove(filepath.Dir(i.file)) == nil {
		_ = os.Remove(root)
	}
	return nil
}
