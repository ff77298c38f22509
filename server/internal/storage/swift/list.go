package swift

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// query selects objects of the container.
type query struct {
	prefix    string
	delimiter string
	marker    string
	limit     int // 0 for as many as a page can hold
}

// entry is one object in a listing, or one folder when the query had a delimiter.
type entry struct {
	Name     string `json:"name"`
	Subdir   string `json:"subdir"`
	Bytes    int64  `json:"bytes"`
	SLO      string `json:"slo_etag"`
	Modified string `json:"last_modified"`
}

// key is the marker after which the next page continues.
func (e entry) key() string { return e.Name + e.Subdir }

func (e entry) modified() time.Time {
	t, _ := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(e.Modified, "Z"))
	return t
}

// page is one page of a listing.
func (d *driver) page(ctx context.Context, q query) ([]entry, error) {
	limit := q.limit
	if limit == 0 {
		limit = d.limits.listing
	}
	values := url.Values{"format": {"json"}, "limit": {strconv.Itoa(limit)}, "prefix": {q.prefix}}
	if q.delimiter != "" {
		values.Set("delimiter", q.delimiter)
	}
	if q.marker != "" {
		values.Set("marker", q.marker)
	}
	resp, err := d.client.do(ctx, request{method: http.MethodGet, query: values})
	if isNotFound(err) {
		// Not the engine's error for a missing path: its health check takes that for healthy.
		return nil, fmt.Errorf("container %q does not exist any more", d.client.container)
	}
	if err != nil {
		return nil, err
	}
	var entries []entry
	if err := json.Unmarshal(resp.content, &entries); err != nil {
		return nil, fmt.Errorf("listing of %s: %w", q.prefix, err)
	}
	return entries, nil
}

// shortPage is the size below which a page is taken for the last one. Some stores that speak Swift's protocol never
// fill a page of the size that they were asked for, so a larger page that is not full need not be the last.
const shortPage = 1000

// pages calls f with every page of a listing.
func (d *driver) pages(ctx context.Context, q query, f func([]entry) error) error {
	for {
		entries, err := d.page(ctx, q)
		if err != nil {
			return err
		}
		if len(entries) > 0 {
			if err := f(entries); err != nil {
				return err
			}
		}
		if len(entries) < min(d.limits.listing, shortPage) {
			return nil
		}
		q.marker = entries[len(entries)-1].key()
	}
}

// children calls f with every page of the files and folders right under a path. Paths are the engine's.
func (d *driver) children(ctx context.Context, path string, f func(path string, e entry)) error {
	prefix := d.folderPrefix(path)
	found := false
	err := d.pages(ctx, query{prefix: prefix, delimiter: "/"}, func(entries []entry) error {
		for _, e := range entries {
			name := strings.TrimSuffix(strings.TrimPrefix(e.key(), prefix), "/")
			if name == "" {
				continue // an object named like the folder, as other tools make them
			}
			found = true
			f(strings.TrimSuffix(path, "/")+"/"+name, e)
		}
		return nil
	})
	if err == nil && !found && path != "/" {
		return storagedriver.PathNotFoundError{Path: path}
	}
	return err
}

// List implements storagedriver.StorageDriver.
func (d *driver) List(ctx context.Context, path string) ([]string, error) {
	paths := []string{}
	err := d.children(ctx, path, func(child string, _ entry) { paths = append(paths, child) })
	if err != nil {
		return nil, err
	}
	return paths, nil
}

// Files sends a request for each page of a listing, where Walk sends one for each folder.
func (d *driver) Files(ctx context.Context, folder string, visit func(storagedriver.FileInfo) error) error {
	return d.pages(ctx, query{prefix: d.folderPrefix(folder)}, func(entries []entry) error {
		for _, e := range entries {
			if strings.HasSuffix(e.Name, "/") {
				continue // an object named like a folder, as other tools make them
			}
			info, err := d.listed(ctx, strings.TrimPrefix(e.Name, d.root+"files"), e)
			if isPathNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			if err := visit(info); err != nil {
				return err
			}
		}
		return nil
	})
}

// listed is what a listing tells about a file. Swift is asked about a file that is listed as empty: it may be a dynamic
// large object.
func (d *driver) listed(ctx context.Context, path string, e entry) (storagedriver.FileInfo, error) {
	if e.Bytes == 0 {
		return d.Stat(ctx, path)
	}
	fields := storagedriver.FileInfoFields{Path: path, Size: e.Bytes, ModTime: e.modified()}
	return storagedriver.FileInfoInternal{FileInfoFields: fields}, nil
}

// Walk implements storagedriver.StorageDriver, in the engine's own order of folders and with one request for each
// folder.
func (d *driver) Walk(ctx context.Context, path string, f storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	return storagedriver.WalkFallback(ctx, &walker{driver: d, root: path, infos: map[string]storagedriver.FileInfo{}}, path, f, options...)
}

// walker is the driver as the engine's WalkFallback uses it: WalkFallback lists a folder and then asks for each entry's
// information, which the listing has already told. walker reports a folder that is deleted meanwhile as
// empty; otherwise the engine would end the walk there, as if nothing came after it.
type walker struct {
	*driver
	root  string
	infos map[string]storagedriver.FileInfo
}

func (w *walker) List(ctx context.Context, path string) ([]string, error) {
	paths := []string{}
	err := w.children(ctx, path, func(child string, e entry) {
		paths = append(paths, child)
		fields := storagedriver.FileInfoFields{Path: child, IsDir: e.Subdir != "", Size: e.Bytes, ModTime: e.modified()}
		if !fields.IsDir && fields.Size == 0 {
			return // may be a dynamic large object, whose size a listing doesn't know
		}
		w.infos[child] = storagedriver.FileInfoInternal{FileInfoFields: fields}
	})
	if isPathNotFound(err) && path != w.root {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return paths, nil
}

func (w *walker) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	if info, ok := w.infos[path]; ok {
		delete(w.infos, path)
		return info, nil
	}
	return w.driver.Stat(ctx, path)
}
