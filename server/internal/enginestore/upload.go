package enginestore

import (
	"context"
	"errors"
	"io"
	"net/http"
	gopath "path"
	"strconv"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

type uploadKey struct{}

// Upload is a request about an upload, which it may end.
func Upload(r *http.Request) (*http.Request, *Ending) {
	ending := &Ending{last: r.Method == http.MethodPut, Looked: func(digest.Digest) {}}
	return r.WithContext(context.WithValue(r.Context(), uploadKey{}, ending)), ending
}

// Lasting is the request that ends an upload, when all of it is there: it goes on to the end without its
// client, who could only find an upload that is neither under way nor a blob. Who calls it calls ended.
func Lasting(r *http.Request) (lasting *http.Request, ended func()) {
	client := r.Context()
	ctx, cancel := context.WithCancel(context.WithoutCancel(client))
	stop := context.AfterFunc(client, cancel)
	lasting = r.WithContext(ctx)
	lasting.Body = lastBody{r.Body, func(err error) {
		if errors.Is(err, io.EOF) {
			stop()
		} else if client.Err() != nil {
			// The engine looks at once whether the client has gone.
			cancel()
		}
	}}
	return lasting, cancel
}

// lastBody tells why there is no more of it.
type lastBody struct {
	io.ReadCloser
	ended func(err error)
}

func (b lastBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.ended(err)
	}
	return n, err
}

// Ending is what a request found out about its upload.
type Ending struct {
	// Replaced says that something else stood in the blob's place.
	Replaced bool
	// Unverified is the folder of an upload that was to be compared with its digest. Nobody looks for a
	// blob's place before they agree.
	Unverified string
	// Looked is called before it is looked whether a blob is there already.
	Looked func(d digest.Digest)

	size  int64
	known bool
	// last is set when no request is to come after this one.
	last bool
	// sum is that of what was sent, and known before it is kept.
	sum file
	// found is the sum of what was sent before.
	found file
	// writer has the bytes.
	writer *writer
}

// Done is when the request is at its end.
func (u *Ending) Done() {
	if u.writer != nil {
		u.writer.end()
	}
}

// identified is a driver's writer that knows which bytes the store has. Where several servers write
// at once, these may be other ones than those that were summed.
type identified interface{ Identity() string }

// place is where the sum is kept that the engine has at a path. Servers of older versions find none there, and read
// the bytes.
func (u *Ending) place(path string) string {
	if writer, ok := u.writer.FileWriter.(identified); ok {
		return path + "-" + writer.Identity()
	}
	return path
}

// keepSum writes how far what came is summed, once all of that is kept: what is sent later in the place
// of something that was lost would be taken for it. The engine does so before, at the beginning, where
// it is nothing yet, twice at the end of each request, and before it takes the upload away. Where it finds
// none, it reads what it has once more.
func (u *Ending) keepSum() error {
	offset, ok := layout.SumOf(u.sum.path)
	if !ok || u.last || offset == "0" || offset != strconv.FormatInt(u.writer.Size(), 10) {
		return nil
	}
	return u.writer.store.PutContent(u.writer.ctx, u.place(u.sum.path), u.sum.content)
}

// findSum looks for the sum of all bytes in a folder that has those of each request before. The engine
// asks for all of them to go on from that one.
func (u *Ending) findSum(ctx context.Context, store storagedriver.StorageDriver, folder string) ([]string, error) {
	path := gopath.Join(folder, strconv.FormatInt(u.writer.Size(), 10))
	sum, err := store.GetContent(ctx, u.place(path))
	if layout.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	u.found = file{path, sum}
	return []string{path}, nil
}
