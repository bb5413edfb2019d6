package roster

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// SiteBatch is consecutive journal entries of one site's epoch.
type SiteBatch struct {
	Site, Session, Epoch string
	Entries              []protocol.Entry
}

// Hello takes in how a site presents itself and answers what was taken of it.
func (r *Roster) Hello(ctx context.Context, site string, h wire.Hello) (wire.Confirm, error) {
	var out wire.Confirm
	err := r.update(ctx, func(w *work) error {
		row, err := w.site(site)
		if err != nil {
			return err
		}
		out, err = w.hello(row, h)
		return err
	})
	if err != nil {
		return wire.Confirm{}, fmt.Errorf("hello of site %s: %w", site, err)
	}
	out.Revision = r.Revision()
	return out, nil
}

func (w *work) hello(site *SiteRow, h wire.Hello) (wire.Confirm, error) {
	w.scope(site, func() { site.SaidMode, site.SaidGroups = h.Mode, slices.Clone(h.Groups) })
	site.Version, site.LastSeen, site.Online = h.Version, w.now.UnixMilli(), true
	site.ClockAhead = h.Now - w.now.UnixMilli()
	ep, known := w.epoch(site.Name, h.Epoch)
	if w.outlived(h, ep, known) {
		w.r.log.Warn("the roster was put back to an older copy: every site gets it anew and sends again what it lacks", "noticed_by", site.Name)
		w.meta.Roster = newID()
	}
	out := wire.Confirm{Session: h.Session, Epoch: h.Epoch, Roster: w.meta.Roster, Now: w.now.UnixMilli()}
	switch {
	case h.Epoch == "" || h.First == 0:
		out.NewEpoch = true // an agent that does not know what to call its journal
		return out, nil
	case !known:
		ep = EpochRow{Site: site.Name, Epoch: h.Epoch, Taken: w.goesOnFrom(site.Name, h)}
	case restored(ep, h):
		out.NewEpoch = true
	}
	out.Taken, out.Hash = ep.Taken, ep.Hash
	if out.NewEpoch {
		return out, nil
	}
	site.Epoch = ep.Epoch
	w.epochs[siteID{site.Name, ep.Epoch}] = ep
	var err error
	if err = w.tx.DropVerdicts(site.Name, ep.Epoch, h.Taken); err == nil {
		out.Verdicts, err = w.tx.Verdicts(site.Name, ep.Epoch, h.Taken, ep.Taken)
	}
	return out, err
}

// goesOnFrom is the number after which an epoch unknown here is to be sent.
// Usually all before the epoch was taken under earlier ones. Where this roster
// is an older copy, it was not: then whatever is still kept is sent again, and
// IDs tell what is known. How far another epoch came says nothing then: two agents
// under one name may have given one number to two entries.
func (w *work) goesOnFrom(site string, h wire.Hello) uint64 {
	before := h.First - 1
	if h.Oldest == 0 || h.Oldest > before {
		return before
	}
	last := uint64(0)
	for _, ep := range w.r.state.epochs[site] {
		last = max(last, ep.Taken)
	}
	if last >= before && h.Roster == w.meta.Roster {
		return before
	}
	return h.Oldest - 1
}

// outlived tells that this roster is an older copy of the one that the site
// knows: more had been taken of the site's journal, or there were later
// revisions. Their numbers will be given to other changes, so they must count
// from a new roster: a site could not tell them apart.
func (w *work) outlived(h wire.Hello, ep EpochRow, known bool) bool {
	taken := h.First - 1 // of an epoch unknown here
	if known {
		taken = ep.Taken
	}
	return h.Roster == w.meta.Roster && h.First > 0 && (h.Taken > taken || h.Revision > w.meta.Revision)
}

// restored tells a journal that is not the one the center knows under this
// epoch: it ends before what was taken, or holds another entry where both know
// one. A journal that is ahead of the center (whose own copy may be the old one)
// only goes on from what was taken.
func restored(ep EpochRow, h wire.Hello) bool {
	if h.Last < ep.Taken {
		return true
	}
	return h.Taken == ep.Taken && len(h.Hash) > 0 && len(ep.Hash) > 0 && !bytes.Equal(h.Hash, ep.Hash)
}

// Hear takes in batches of several sites in one transaction and returns one
// Confirm for each, in order. A batch that cannot be taken is answered (Gap,
// NewEpoch, or a zero Confirm for an unknown site) and does not fail the
// others. After an error nothing was taken.
func (r *Roster) Hear(ctx context.Context, batches []SiteBatch) ([]wire.Confirm, error) {
	var out []wire.Confirm
	err := r.update(ctx, func(w *work) error {
		out = make([]wire.Confirm, len(batches))
		for i, b := range batches {
			var err error
			if out[i], err = w.hear(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("hear: %w", err)
	}
	revision := r.Revision()
	for i := range out {
		if out[i].Roster != "" {
			out[i].Revision = revision
		}
	}
	return out, nil
}

func (w *work) hear(b SiteBatch) (wire.Confirm, error) {
	site, ok := w.r.state.sites[b.Site]
	if !ok {
		return wire.Confirm{}, nil
	}
	out := wire.Confirm{Session: b.Session, Epoch: b.Epoch, Roster: w.meta.Roster, Now: w.now.UnixMilli()}
	ep, ok := w.epoch(b.Site, b.Epoch)
	if !ok || len(b.Entries) == 0 {
		// Entries before their hello: where the epoch begins is not known yet.
		out.Taken, out.Hash, out.Gap = ep.Taken, ep.Hash, !ok
		return out, nil
	}
	before, from := ep.Taken, len(w.verdicts)
	if err := w.take(site, &ep, b.Entries, &out); err != nil {
		return wire.Confirm{}, err
	}
	out.Taken, out.Hash = ep.Taken, ep.Hash
	if ep.Taken != before {
		w.epochs[siteID{b.Site, b.Epoch}] = ep
	}
	for _, v := range w.verdicts[from:] {
		out.Verdicts = append(out.Verdicts, v.Verdict)
	}
	return out, nil
}

// take takes the entries that follow what was taken.
func (w *work) take(site *SiteRow, ep *EpochRow, entries []protocol.Entry, out *wire.Confirm) error {
	before := ep.Taken
	known, err := w.r.again.of(w, ep)
	if err != nil {
		return err
	}
	if entries[0].Number <= before {
		if err := w.answerAgain(ep, entries, out); err != nil {
			return err
		}
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Number <= ep.Taken:
			continue
		case e.Number != ep.Taken+1:
			out.Gap = true
			return w.hashOf(ep, entries)
		case ep.Taken == before && foreign(ep, e):
			out.NewEpoch = true
			return nil
		}
		if !known[e.ID] {
			if err := w.entry(site, ep, e); err != nil {
				return err
			}
		}
		ep.Taken = e.Number
	}
	return w.hashOf(ep, entries)
}

// foreign tells that the entry does not follow the one that was taken last.
func foreign(ep *EpochRow, e *protocol.Entry) bool {
	return len(ep.Hash) > 0 && !bytes.Equal(ep.Hash, e.Prev)
}

// hashOf keeps the hash of the entry at Taken, if it is among the entries.
func (w *work) hashOf(ep *EpochRow, entries []protocol.Entry) error {
	i := slices.IndexFunc(entries, func(e protocol.Entry) bool { return e.Number == ep.Taken })
	if i < 0 {
		return nil
	}
	h, err := w.r.codec.EntryHash(entries[i])
	if err != nil {
		return fmt.Errorf("entry %d of site %s: %w", ep.Taken, ep.Site, err)
	}
	ep.Hash = h
	return nil
}

// answerAgain repeats the verdicts on entries that are sent again: the site may
// not have heard them.
func (w *work) answerAgain(ep *EpochRow, entries []protocol.Entry, out *wire.Confirm) error {
	last := min(entries[len(entries)-1].Number, ep.Taken)
	vs, err := w.tx.Verdicts(ep.Site, ep.Epoch, entries[0].Number-1, last)
	out.Verdicts = append(out.Verdicts, vs...)
	return err
}

// entry takes one entry: into the log, and its edit into the roster.
func (w *work) entry(site *SiteRow, ep *EpochRow, e *protocol.Entry) error {
	ev := Event{
		ID: e.ID, Site: ep.Site, Epoch: ep.Epoch, Number: e.Number, At: e.Time(), Arrived: w.now,
		Event: e.Event, Reader: e.Reader, ReaderID: e.ReaderID, UserID: e.UserID, Detail: e.Detail,
	}
	if e.Edit != nil {
		guid, err := w.edit(site, ep, e)
		if err != nil {
			return err
		}
		ev.GUID = guid
		if ev.Detail == "" {
			ev.Detail = summary(e.Edit)
		}
	}
	w.events = append(w.events, ev)
	return nil
}

// verdict tells the site what became of an entry, until it has heard.
func (w *work) verdict(ep *EpochRow, e *protocol.Entry, event protocol.Event, detail string) {
	w.verdicts = append(w.verdicts, VerdictRow{
		Site: ep.Site, Epoch: ep.Epoch,
		Verdict: wire.Verdict{Number: e.Number, Event: event, UserID: e.Edit.UserID, Detail: detail},
	})
}

// summary names what an edit was about, without any value.
func summary(e *protocol.Edit) string {
	var parts []string
	for f := range e.Values {
		parts = append(parts, string(f))
	}
	slices.Sort(parts)
	for _, c := range e.Given {
		parts = append(parts, c.String())
	}
	for _, k := range e.Withdrawn {
		parts = append(parts, "without "+k.String())
	}
	for _, g := range e.Groups {
		parts = append(parts, "group "+g)
	}
	return strings.Join(parts, ", ")
}
