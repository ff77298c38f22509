package inventory

import (
	"path"
	"strings"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/walk"
)

// locked is for walks that see several files at a time.
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
	parts := strings.Split(own, "/")
	if parts[0] == layout.Uploads {
		return i.addUpload(name, parts[1:], info)
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
	folder := path.Join(parts[:min(2, len(parts))]...)
	if folder == layout.Tags && len(parts) == 3 && layout.IsTagName(parts[2]) {
		// Also one that has neither link.
		r.tag(parts[2])
		return nil
	}
	if layout.IsUnfinished(path.Base(own)) {
		return i.addLeftover(path.Join(layout.Repositories, relative), info)
	}
	if info.IsDir() || parts[len(parts)-1] != "link" {
		return nil
	}
	switch {
	case parts[0] == layout.Layers && len(parts) == 4:
		for _, d := range layout.Valid(parts[1], parts[2:3]) {
			r.Layers[i.shared(d)] = info.ModTime().UnixMicro()
		}
	case folder == layout.Revisions && len(parts) == 5:
		for _, d := range layout.Valid(parts[2], parts[3:4]) {
			r.Revisions[i.shared(d)] = info.ModTime().UnixMicro()
			if d.Algorithm() != digest.Canonical {
				r.longer[layout.ReferrersTag(d)] = d
			}
		}
	case parts[0] == layout.Referrers && len(parts) == 6:
		for _, subject := range layout.Valid(parts[1], parts[2:3]) {
			for _, d := range layout.Valid(parts[3], parts[4:5]) {
				r.Referrers[Referrer{i.shared(subject), i.shared(d)}] = true
			}
		}
	case folder == layout.Tags && len(parts) == 5 && parts[3] == "current":
		r.tag(parts[2]).Pushed = info.ModTime()
	case folder == layout.Tags && len(parts) == 7 && parts[3] == "index":
		t := r.tag(parts[2])
		t.History = append(t.History, layout.Valid(parts[4], parts[5:6])...)
		t.begun = latest(t.begun, info.ModTime())
	}
	return nil
}

// shared is the same digest, in the memory of its blob.
func (i *Inventory) shared(d digest.Digest) digest.Digest {
	if found, ok := i.Blobs[d]; ok {
		return found.name
	}
	return d
}
