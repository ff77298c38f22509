package swift

import (
	"context"
	"net/http"
	"time"

	ncw "github.com/ncw/swift/v2"

	"container-registry/server/internal/layout"
)

const (
	// joiningHeader is on a claim until the manifest is written. Claims of the previous version do not have it.
	joiningHeader = "X-Object-Meta-Registry-Joining"

	// discarding is in a claim in place of a writer. Several requests may discard an upload at the same time, and
	// one may continue what another began.
	discarding = "discarding"
)

// claimName is the name of an upload's claim. It is among the segments, and is deleted with them.
func (d *driver) claimName(upload string) string { return d.segmentPrefix(upload) + "committed" }

// claim lets only one writer join the segments of an upload: all writers that continued from one record share its
// segments, which are deleted with the blob that they became. If the claimant is discarding, nobody may join them. If
// another claim came first, it is returned.
func (d *driver) claim(ctx context.Context, upload, claimant string) (other *object, err error) {
	err = d.putClaim(ctx, upload, claimant, ncw.Headers{"If-None-Match": "*"})
	if !hasStatus(err, http.StatusPreconditionFailed) {
		return nil, err
	}
	obj, err := d.head(ctx, d.claimName(upload))
	switch {
	case isNotFound(err):
		return nil, layout.ErrOvertaken // the other claimant has finished
	case err != nil || obj.claimedBy(claimant):
		// The answer to an earlier attempt may have been lost.
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

// stillClaimed fails if a claim is no longer its writer's: a writer that stood still for long may find that its upload
// was discarded.
func (d *driver) stillClaimed(ctx context.Context, upload, writer string) error {
	obj, err := d.head(ctx, d.claimName(upload))
	if isNotFound(err) || err == nil && !obj.claimedBy(writer) {
		return layout.ErrOvertaken
	}
	return err
}

// joined records on a writer's claim that its manifest is written.
func (d *driver) joined(ctx context.Context, upload, writer string) error {
	if err := d.stillClaimed(ctx, upload, writer); err != nil {
		return err
	}
	// A POST without headers removes all metadata, joiningHeader among it.
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

// claimDiscarded keeps everybody from joining the segments of an upload, and says whether they may be deleted: not if a
// manifest names them. A writer that has claimed them may be about to write one. If its claim is older than the time
// after which uploads count as abandoned, the writer was killed, or it will find its claim gone.
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
