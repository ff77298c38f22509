package inventory

import (
	"path"
	"strings"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/walk"
)

// locked is for walks that visit several files concurrently.
func (i *Inventory) locked(add walk.Visit) walk.Visit {
	return func(relative string, info storagedriver.FileInfo) error {
		i.mutex.Lock()
		defer i.mutex.Unlock()
		return add(relative, info)
	}
}

func (i *Inventory) addBlob(relative string, info storagedriver.FileInfo) error {
	whole := path.Join(layout.Blobs, relative)
	if layout.IsUnfinished(path.Base(relative)) {
		return i.addLeftover(whole, info)
	}
	if d, ok := layout.BlobOf(whole); ok && !info.IsDir() {
		i.Blobs[d] = Blob{d, info.Size(), info.ModTime().UnixMicro()}
	}
	return nil
}

func (i *Inventory) addLeftover(p string, info storagedriver.FileInfo) error {
	i.Leftovers = append(i.Leftovers, p)
	if info.IsDir() {
		// Walks take it for a folder, and would look into it.
		return storagedriver.ErrSkipDir
	}
	return nil
}

func (i *Inventory) addLink(relative string, info storagedriver.FileInfo) error {
	name, own, found := layout.Inside(relative)
	if !found {
		return nil
	}
	if top, rest, _ := strings.Cut(own, "/"); top == layout.Uploads {
		return i.addUpload(name, strings.Split(rest, "/"), info)
	}
	r := i.Repository(name)
	if tag, c, ok := layout.CarriedOf(own); ok {
		c.Manifest = i.shared(c.Manifest)
		r.tag(tag).carried = append(r.tag(tag).carried, c)
		if info.IsDir() {
			// Walks take it for a folder, and would look into it.
			return storagedriver.ErrSkipDir
		}
		return nil
	}
	if tag, ok := strings.CutPrefix(own, layout.Tags+"/"); ok && layout.IsTagName(tag) {
		// This is for a tag that has neither kind of link.
		r.tag(tag)
		return nil
	}
	if layout.IsUnfinished(path.Base(own)) {
		return i.addLeftover(path.Join(layout.Repositories, relative), info)
	}
	link, ok := layout.ParseLink(own)
	if info.IsDir() || !ok {
		return nil
	}
	d := i.shared(link.Digest)
	switch link.Kind {
	case layout.LayerLink:
		r.Layers[d] = info.ModTime().UnixMicro()
	case layout.RevisionLink:
		r.Revisions[d] = info.ModTime().UnixMicro()
		if d.Algorithm() != digest.Canonical {
			r.longer[layout.ReferrersTag(d)] = d
		}
	case layout.ReferrerLink:
		r.Referrers[Referrer{i.shared(link.Subject), d}] = true
	case layout.TagLink:
		r.tag(link.Tag).Pushed = info.ModTime()
	case layout.IndexLink:
		t := r.tag(link.Tag)
		t.History = append(t.History, d)
		t.begun = latest(t.begun, info.ModTime())
	}
	return nil
}

// shared is the same digest, in the memory of the blob's name.
func (i *Inventory) shared(d digest.Digest) digest.Digest {
	if found, ok := i.Blobs[d]; ok {
		return found.name
	}
	return d
}
