package fence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/heldback"
	"container-registry/server/internal/logging"
)

// refuse tells the client why its request is refused and, unless it is at fault, when to come back.
func refuse(w http.ResponseWriter, reason error) {
	if told := (errcode.Error{}); errors.As(reason, &told) {
		// The client is gone when this fails.
		_ = errcode.ServeJSON(w, told)
		return
	}
	if !slices.ContainsFunc([]error{errPaused, errDeleting, errSilent, errUnsure, errTagStays}, func(known error) bool { return errors.Is(reason, known) }) {
		reason = errors.New("the store gives no answer that can be used; try again")
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	refuseWith(w, http.StatusServiceUnavailable, "UNAVAILABLE", reason.Error())
}

// refuseWith is for errors that the engine does not have with this status.
func refuseWith(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body, _ := json.Marshal(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
	// The client is gone when this fails.
	_, _ = w.Write(body)
}

const retryAfter = 5 * time.Second

// inTime is why something failed. A driver has words of its own for a timeout, so the cause of that is used.
func (p *push) inTime(err error) error {
	if err == nil {
		return nil
	}
	return cmp.Or(context.Cause(p.patience), err)
}

// Quiet keeps the engine from logging manifests that were not admitted, which it takes for invalid ones.
func Quiet(engine *logrus.Logger) {
	engine.SetFormatter(logging.Without(engine.Formatter, func(entry *logrus.Entry) bool {
		said := fmt.Sprint(entry.Message, " ", entry.Data["err.detail"])
		return slices.ContainsFunc([]error{errPaused, errDeleting, errSilent}, func(known error) bool { return strings.Contains(said, known.Error()) })
	}))
}

// explain has the message say why a manifest is invalid. Docker and other clients show only the message, and
// the engine gives the reason in the detail.
func explain(a *heldback.Answer) {
	var told errcode.Errors
	if a.Status < http.StatusBadRequest || json.Unmarshal(a.Content.Bytes(), &told) != nil {
		return
	}
	for i, each := range told {
		one, _ := each.(errcode.Error)
		reason, _ := one.Detail.(string)
		if one.Code != errcode.ErrorCodeManifestInvalid || one.Message != one.Code.Message() || reason == "" {
			continue
		}
		told[i] = one.Code.WithMessage(one.Message + ": " + reason).WithDetail(reason)
		a.Content.Reset()
		_ = json.NewEncoder(&a.Content).Encode(told)
	}
}
