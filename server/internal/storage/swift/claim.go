package swift

import (
	"context"
	"net/http"
	"time"

	ncw "github.com/ncw/swift/v2"

	"container-registry/server/internal/layout"
)

const (
	// joiningHeader is on a claim until the manifest is there. Claims of the version before have none.
	joiningHeader = "X-Object-Meta-Registry-Joining"

	// discarding stands in a claim in place of a writer. Any number may discard an upload at once, and go on with that.
	discarding = "discarding"
)

// claimName is among the segments of an upload, and goes with them.
func (d *driver) claimName(upload string) string { return d.segmentPrefix(upload) + "committed" }

// claim lets one writer join the segments of an upload: they are shared by all that went on from one record, and go
// with the blob they became. Or it lets nobody, as they are discarded. The claim of another is returned, where that
// came first.
func (d *driver) claim(ctx context.Context, upload, claimant string) (other *object, err error) {
	err = d.putClaim(ctx, upload, claimant, ncw.Headers{"If-None-Match": "*"})
	if !hasStatus(err, http.StatusPreconditionFailed) {
		return nil, err
	}
	obj, err := d.head(ctx, d.claimName(upload))
	switch {
	case isNotFound(err):
		return nil, layout.ErrOvertaken // who had it is done
	case err != nil || obj.claimedBy(claimant):
		// The answer to an attempt before may have been lost.
		return nil, err
	default:
		return obj, nil
	}
}

func (d *driver) putClaim(ctx context.Context, upload, claimant string, headers ncw.Headers) error {
	headers["Content-Type"] = contentType
	headers["Etag"] = checksum([]byte(claimant))
	headers[joiningHeader] = "yes"
	_, err := d.client.do(ctx, request{method: http.MethodPut, object: d.claimName(upload), headers: headers, body: []byte(claimant)})
	return err
}

func (o *object) claimedBy(claimant string) bool { return o.etag == checksum([]byte(claimant)) }

// stillClaimed says whether a claim is its writer's: one that stood still for long finds that the upload was discarded.
func (d *driver) stillClaimed(ctx context.Context, upload, writer string) error {
	obj, err := d.head(ctx, d.claimName(upload))
	if isNotFound(err) || err == nil && !obj.claimedBy(writer) {
		return layout.ErrOvertaken
	}
	return err
}

// joined notes on a writer's claim that its manifest is there.
func (d *driver) joined(ctx context.Context, upload, writer string) error {
	if err := d.stillClaimed(ctx, upload, writer); err != nil {
		return err
	}
	// It replaces all metadata by none.
	_, err := d.client.do(ctx, request{method: http.MethodPost, object: d.claimName(upload)})
	return err
}

// unclaim gives up a writer's claim.
func (d *driver) unclaim(ctx context.Context, upload, writer string) error {
	if err := d.stillClaimed(ctx, upload, writer); err != nil {
		return err
	}
	return d.deleteObject(ctx, d.claimName(upload))
}

// claimDiscarded lets nobody join the segments of an upload any more, and says whether they may go: not those that a
// manifest names. A writer that has claimed them may be about to write one. Once it has had the time that other uploads
// are left, it was killed, or finds its claim gone.
func (d *driver) claimDiscarded(ctx context.Context, path, upload string) (bool, error) {
	other, err := d.claim(ctx, upload, discarding)
	if err != nil || other == nil {
		return err == nil, err
	}
	if !other.joining {
		return false, nil
	}
	file, err := d.head(ctx, d.fileName(path))
	switch {
	case err == nil && file.upload == upload:
		return false, nil
	case err != nil && !isNotFound(err):
		return false, err
	case time.Since(other.modified) <= d.abandonment:
		return false, layout.ErrOvertaken
	}
	err = d.putClaim(ctx, upload, discarding, ncw.Headers{})
	return err == nil, err
}
