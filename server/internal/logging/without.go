package logging

import "github.com/sirupsen/logrus"

// Without returns a format that leaves some entries out.
func Without(format logrus.Formatter, isLeftOut func(*logrus.Entry) bool) logrus.Formatter {
	return without{format, isLeftOut}
}

type without struct {
	logrus.Formatter
	isLeftOut func(*logrus.Entry) bool
}

func (w without) Format(entry *logrus.Entry) ([]byte, error) {
	if w.isLeftOut(entry) {
		return nil, nil
	}
	return w.Formatter.Format(entry)
}
