package guard

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// share of the server's memory is for uploads, in per cent.
const share = 40

// longestWait for a place is about how long clients wait for an answer.
const longestWait = 5 * time.Minute

var errBusy = errors.New("too many uploads at once")

// buffering is how much of an upload a driver holds in memory: by default it collects a
// chunk, and that takes so many per cent of it.
type buffering struct{ chunk, percent int64 }

// bufferings are those of the drivers that send uploads in chunks. S3's grows its buffer by
// doubling; Swift's fills one while another is sent; Google's client has a buffer of its own.
var bufferings = map[string]buffering{
	"s3":    {10 << 20, 220},
	"s3aws": {10 << 20, 220},
	"azure": {4 << 20, 125},
	"gcs":   {16 << 20, 210},
	"swift": {16 << 20, 205},
	"oss":   {10 << 20, 150},
}

// of is what one upload takes with a store's parameters.
func (b buffering) of(parameters configuration.Parameters) int64 {
	if chunk, err := strconv.ParseInt(fmt.Sprint(parameters["chunksize"]), 0, 64); err == nil {
		b.chunk = chunk
	}
	return b.chunk * b.percent / 100
}

// places are for uploads that hold memory. Others wait, and their clients with them: what
// they send is not read.
type places struct {
	// Requests without a body, which begin and end uploads, are soon done and don't wait
	// for those that may send theirs for hours.
	bodies, short chan struct{}
	wait          time.Duration
}

// placesOf is nil for a store that needs none.
func placesOf(storage configuration.Storage, memory int64) *places {
	b, ok := bufferings[storage.Type()]
	if !ok {
		return nil
	}
	n := max(1, memory*share/100/b.of(storage.Parameters()))
	return &places{
		bodies: make(chan struct{}, n),
		short:  make(chan struct{}, max(1, n/4)),
		wait:   longestWait,
	}
}

// take is for one upload of a request.
func (p *places) take(ctx context.Context, r *request) (leave func(), err error) {
	queue := p.bodies
	if r.short {
		queue = p.short
	}
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case queue <- struct{}{}:
		leave = sync.OnceFunc(func() { <-queue })
		r.add(leave)
		return leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		r.refuse(errBusy)
		return nil, errBusy
	}
}

// bounded has uploads wait for a place. Drivers take memory before there is a byte: buffers
// of their own, or those of uploads before.
type bounded struct {
	storagedriver.StorageDriver
	places *places
}

func (d bounded) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	if d.places == nil {
		return d.StorageDriver.Writer(ctx, path, appendMode)
	}
	leave, err := d.places.take(ctx, requestOf(ctx))
	if err != nil {
		return nil, err
	}
	writer, err := d.StorageDriver.Writer(ctx, path, appendMode)
	if err != nil {
		leave()
		return nil, err
	}
	return upload{writer, leave}, nil
}

// upload is one writer of the driver's.
type upload struct {
	storagedriver.FileWriter
	leave func()
}

func (u upload) Close() error {
	defer u.leave()
	return u.FileWriter.Close()
}
