package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	mcfgv1 "github.com/openshift/api/machineconfiguration/v1"
)

// checkAnswers tells when the API server begins to answer in another way: not at all, with a
// refusal, or well again.
func (w *statusWatch) checkAnswers(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	err := w.clients.Reach(bounded)
	if ctx.Err() != nil {
		return
	}
	var news []string
	if err != nil {
		verdict := w.clients.Verdict(err)
		if verdict == "" || bounded.Err() != nil {
			verdict = strings.TrimSpace(w.clients.Server() + " does not answer within " + lookAgain.String())
		}
		news = []string{"The API server " + verdict + ", so nothing is known of changes since: " + causeOf(err)}
	}
	if err == nil && w.cut {
		w.clients.Doubt()
	}
	w.cut = err != nil
	refused, passing := w.refusals()
	switch {
	case w.cut:
		// What keeps a simple question from being answered keeps the others, too.
	case passing && len(refused) == 0:
		// Informers come back in a while.
		news = w.told
	default:
		news = refused
	}
	for _, text := range news {
		if !slices.ContainsFunc(w.told, func(before string) bool { return summary(before) == summary(text) }) {
			_, _ = fmt.Fprintln(w.notes, text)
		}
	}
	if len(news) == 0 && len(w.told) > 0 {
		_, _ = fmt.Fprintln(w.notes, "The API server answers again.")
	}
	w.told = news
}

// refusals are about requests other than the one that was just made, which may be refused
// alone: a Role may permit to list and not to watch. It also tells whether there is
// something that is not known.
func (w *statusWatch) refusals() (news []string, passing bool) {
	for _, trouble := range w.clients.Troubles() {
		switch {
		case trouble.Passing:
			passing = true
		case trouble.Request.Group == mcfgv1.GroupName:
			news = append(news, "The API server "+trouble.Verdict+", so nothing is known of changes of the pools since.")
		default:
			news = append(news, "The API server "+trouble.Verdict+", so what is told of "+trouble.Request.Resource+" is of before.")
		}
	}
	return news, passing
}

// causeOf is the innermost error, which says what the API server or the network said.
func causeOf(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// summary is what a text says, without the cause, in which numbers may change.
func summary(text string) string {
	before, _, _ := strings.Cut(text, ", so ")
	return before
}
