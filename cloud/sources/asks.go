package sources

import (
	"fmt"
	"slices"
	"strings"

	"doorsync/cloud/sources/csvfile"
	"doorsync/cloud/sources/plan"
)

// asks says what a person must confirm, "" if nothing.
func (j *job) asks(p *plan.Plan) string {
	j.report.Why = ""
	if j.q.Confirm != 0 {
		return ""
	}
	var asks []string
	ask := func(why Why, text string) {
		if text != "" {
			j.report.Why = why
			asks = append(asks, text)
		}
	}
	if j.settings.Guard.Exceeds(p.Touched(), p.Known) {
		ask(WhyGuard, fmt.Sprintf("of %s that the source names, %d would be gone and %d changed: more than %v %% and at least %d. An export that is empty or half-written looks like this",
			count(p.Known, "person", "people"), p.Gone, p.Changed, j.settings.Guard.Percent, max(j.settings.Guard.Least, 1)))
	}
	ask(WhyColumns, j.missing())
	ask(WhyOlder, j.older)
	if len(asks) == 0 {
		return ""
	}
	slices.Reverse(asks) // what explains the others comes first
	return strings.Join(asks, "; ") + ". Look at it with a dry run, and confirm the run if it is right"
}

// missing says what the file no longer has a column for and the last one did: what
// it said would be withdrawn from everybody, which few people do on purpose.
func (j *job) missing() string {
	done := j.history.completed
	if done == nil || done.Detected == nil || done.Settings != j.report.Settings {
		return "" // other columns may have been asked for
	}
	var lost []string
	for _, c := range done.Detected.Columns {
		if c.Field != "" && !slices.ContainsFunc(j.report.Detected.Columns, func(now csvfile.ColumnUsed) bool { return now.Field == c.Field }) {
			lost = append(lost, c.Field)
		}
	}
	if len(lost) == 0 {
		return ""
	}
	return fmt.Sprintf("the file has no column any more for %s, as that of run %d had: what was said there would be withdrawn", strings.Join(lost, ", "), done.Run)
}
