package roster_test

import (
	"doorsync/cloud/roster"
	"doorsync/protocol"
)

func (t nthTx) PutUsers(rows []*roster.UserRow) error {
	if err := t.n.call("PutUsers", false); err != nil {
		return err
	}
	return t.tx.PutUsers(rows)
}

func (t nthTx) PutContributions(rows []*roster.UserRow) error {
	if err := t.n.call("PutContributions", false); err != nil {
		return err
	}
	return t.tx.PutContributions(rows)
}

func (t nthTx) PutGrave(g roster.Grave) error {
	if err := t.n.call("PutGrave", false); err != nil {
		return err
	}
	return t.tx.PutGrave(g)
}

func (t nthTx) DropGrave(guid string) error {
	if err := t.n.call("DropGrave", false); err != nil {
		return err
	}
	return t.tx.DropGrave(guid)
}

func (t nthTx) PutIDs(rows []roster.IDRow) error {
	if err := t.n.call("PutIDs", false); err != nil {
		return err
	}
	return t.tx.PutIDs(rows)
}

func (t nthTx) DropID(site string, id string) error {
	if err := t.n.call("DropID", false); err != nil {
		return err
	}
	return t.tx.DropID(site, id)
}

func (t nthTx) PutHolders(rows []roster.HolderRow) error {
	if err := t.n.call("PutHolders", false); err != nil {
		return err
	}
	return t.tx.PutHolders(rows)
}

func (t nthTx) DropHolder(k protocol.CredentialKey) error {
	if err := t.n.call("DropHolder", false); err != nil {
		return err
	}
	return t.tx.DropHolder(k)
}

func (t nthTx) PutRevoked(row roster.RevokedRow) error {
	if err := t.n.call("PutRevoked", false); err != nil {
		return err
	}
	return t.tx.PutRevoked(row)
}

func (t nthTx) DropRevoked(k protocol.CredentialKey) error {
	if err := t.n.call("DropRevoked", false); err != nil {
		return err
	}
	return t.tx.DropRevoked(k)
}

func (t nthTx) AddEvents(events []roster.Event) error {
	if err := t.n.call("AddEvents", false); err != nil {
		return err
	}
	return t.tx.AddEvents(events)
}

func (t nthTx) AddVerdicts(rows []roster.VerdictRow) error {
	if err := t.n.call("AddVerdicts", false); err != nil {
		return err
	}
	return t.tx.AddVerdicts(rows)
}

func (t nthTx) DropVerdicts(site string, epoch string, upTo uint64) error {
	if err := t.n.call("DropVerdicts", false); err != nil {
		return err
	}
	return t.tx.DropVerdicts(site, epoch, upTo)
}

func (t nthTx) PutSite(row roster.SiteRow) error {
	if err := t.n.call("PutSite", false); err != nil {
		return err
	}
	return t.tx.PutSite(row)
}

func (t nthTx) PutEpoch(row roster.EpochRow) error {
	if err := t.n.call("PutEpoch", false); err != nil {
		return err
	}
	return t.tx.PutEpoch(row)
}

func (t nthTx) PutMeta(m roster.Meta) error {
	if err := t.n.call("PutMeta", false); err != nil {
		return err
	}
	return t.tx.PutMeta(m)
}

func (t nthTx) PutGroup(name string) error {
	if err := t.n.call("PutGroup", false); err != nil {
		return err
	}
	return t.tx.PutGroup(name)
}

func (t nthTx) PutSource(row roster.SourceRow) error {
	if err := t.n.call("PutSource", false); err != nil {
		return err
	}
	return t.tx.PutSource(row)
}

func (t nthTx) DropSource(s protocol.Source) error {
	if err := t.n.call("DropSource", false); err != nil {
		return err
	}
	return t.tx.DropSource(s)
}

func (t nthTx) PutNamed(s protocol.Source, rows []roster.SourceUser) error {
	if err := t.n.call("PutNamed", false); err != nil {
		return err
	}
	return t.tx.PutNamed(s, rows)
}

func (t nthTx) DropNamed(s protocol.Source, ids []roster.Identity) error {
	if err := t.n.call("DropNamed", false); err != nil {
		return err
	}
	return t.tx.DropNamed(s, ids)
}

func (t nthTx) PutKeys(rows []roster.KeyRow) error {
	if err := t.n.call("PutKeys", false); err != nil {
		return err
	}
	return t.tx.PutKeys(rows)
}

func (t nthTx) DropKeys(rows []roster.KeyRow) error {
	if err := t.n.call("DropKeys", false); err != nil {
		return err
	}
	return t.tx.DropKeys(rows)
}

func (t nthTx) ClearKeys() error {
	if err := t.n.call("ClearKeys", false); err != nil {
		return err
	}
	return t.tx.ClearKeys()
}

func (t nthTx) PutMerge(row roster.MergeRow) error {
	if err := t.n.call("PutMerge", false); err != nil {
		return err
	}
	return t.tx.PutMerge(row)
}

func (t nthTx) DropMerge(guid string) error {
	if err := t.n.call("DropMerge", false); err != nil {
		return err
	}
	return t.tx.DropMerge(guid)
}

func (t nthTx) PutRun(row roster.RunRow) error {
	if err := t.n.call("PutRun", false); err != nil {
		return err
	}
	return t.tx.PutRun(row)
}

func (t nthTx) PutMails(rows []roster.MailRow) error {
	if err := t.n.call("PutMails", false); err != nil {
		return err
	}
	return t.tx.PutMails(rows)
}

func (t nthTx) DropMail(id uint64) error {
	if err := t.n.call("DropMail", false); err != nil {
		return err
	}
	return t.tx.DropMail(id)
}

func (t nthTx) PutFieldRow(c protocol.Custom) error {
	if err := t.n.call("PutFieldRow", false); err != nil {
		return err
	}
	return t.tx.PutFieldRow(c)
}

func (t nthTx) DropFieldRow(f protocol.Field) error {
	if err := t.n.call("DropFieldRow", false); err != nil {
		return err
	}
	return t.tx.DropFieldRow(f)
}
