package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/roster"
)

// fewEffects is how many effects of each kind are printed unless all are asked for.
const fewEffects = 20

// showEffects prints what was done to whom, value by value. Of each kind it prints
// the first few, or all.
func showEffects(cmd *cobra.Command, effects []roster.Effect, all bool) error {
	if len(effects) == 0 {
		return nil
	}
	if err := say(cmd.OutOrStdout(), ""); err != nil {
		return err
	}
	t := newTable(cmd, "LINE", "EFFECT", "USER", "NAME", "VALUE", "OLD", "NEW", "NOTE")
	shown, left := map[roster.EffectKind]int{}, 0
	for _, e := range effects {
		if shown[e.Kind]++; shown[e.Kind] > fewEffects && !all {
			left++
			continue
		}
		effectRows(t, e)
	}
	if err := t.flush(); err != nil || left == 0 {
		return err
	}
	return say(cmd.OutOrStdout(), "… and %s more; --all prints them", grouped(left))
}

// effectRows prints one effect: a row for each value, and one for each candidate.
func effectRows(t *table, e roster.Effect) {
	line := ""
	if e.Line > 0 {
		line = strconv.Itoa(e.Line)
	}
	head := []string{line, string(e.Kind), e.UserID, nameOf(e)}
	row := func(cells ...string) {
		t.row(append(head, cells...)...)
		head = []string{"", "", "", ""}
	}
	note := noteOf(e)
	if note != "" && (e.Text != "" || len(e.Values) == 0) || len(e.Values)+len(e.Candidates) == 0 {
		row("", "", "", note)
		note = ""
	}
	for _, v := range e.Values {
		row(v.What, v.Old, v.New, strings.Trim(note+"; "+held(v), "; "))
		note = ""
	}
	for _, c := range e.Candidates {
		row("", "", "", "may be "+candidate(c))
	}
}

// held says whose word stands instead of a value that was not kept, or whose it is.
func held(v roster.ValueChange) string {
	switch {
	case v.HeldBy != "":
		return "not kept: held by " + string(v.HeldBy)
	case v.Source != "":
		return "as " + string(v.Source) + " says"
	default:
		return ""
	}
}

func nameOf(e roster.Effect) string {
	if e.Name == "" {
		return e.SyncID
	}
	return e.Name
}

func candidate(c roster.Candidate) string {
	return strings.TrimSpace(c.UserID+" "+c.Name) + ", by " + string(c.By)
}

func noteOf(e roster.Effect) string {
	var out []string
	if e.By != "" {
		out = append(out, "by "+string(e.By))
	}
	if e.Credential != "" {
		out = append(out, e.Credential)
	}
	if e.Holder != "" && e.Text == "" {
		out = append(out, "held by "+e.Holder)
	}
	if e.Text != "" {
		out = append(out, e.Text)
	}
	return strings.Join(out, ", ")
}

// counted is one number of a count and what it is of.
type counted struct {
	what string
	n    int
}

// countsOf are the numbers that are not 0, by the names they have in JSON.
func countsOf(c roster.Counts) []counted {
	var out []counted
	v := reflect.ValueOf(c)
	for f, value := range v.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if n, ok := value.Interface().(int); ok && n > 0 {
			out = append(out, counted{name, n})
		}
	}
	return out
}

// showPreview prints what something would do.
func (a *app) showPreview(cmd *cobra.Command, p api.Preview, all bool) error {
	if a.json {
		return printJSON(cmd, p)
	}
	if len(p.Effects) == 0 {
		return say(cmd.OutOrStdout(), "nothing would change")
	}
	t := newTable(cmd)
	for _, c := range countsOf(p.Counts) {
		t.row(c.what, grouped(c.n))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if err := showEffects(cmd, p.Effects, all); err != nil || p.More == 0 {
		return err
	}
	return say(cmd.OutOrStdout(), "… and %s more that the center left out", grouped(p.More))
}

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// size writes how large a file is.
func size(bytes int64) string {
	for _, unit := range []struct {
		length int64
		name   string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if bytes >= unit.length {
			return fmt.Sprintf("%.1f %s", float64(bytes)/float64(unit.length), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}
