package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/unread"
)

// Command has the server that runs here collect. If there is none, it collects itself.
func Command(ctx context.Context, config *configuration.Configuration, request garbage.Request, out io.Writer, log *logrus.Entry) error {
	err := Order(ctx, config, request, out)
	if !errors.Is(err, ErrNoServer) {
		return err
	}
	host, _ := os.Hostname()
	collector, _, err := garbage.Open(ctx, config, fmt.Sprintf("the command on %s, process %d", host, os.Getpid()), fence.NoCache{}, log)
	if err != nil {
		return err
	}
	// The reader of the log may also stand still.
	read := log.Logger.Out
	told := unread.To(read)
	log.Logger.SetOutput(told)
	report, err := collector.Collect(ctx, request, out)
	log.Logger.SetOutput(read)
	told.Close()
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, report.String())
	return err
}
