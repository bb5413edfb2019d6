package frame

import "strconv"

// Cmd is a command or a reply, as numbered by the vendor.
type Cmd uint16

// Commands that the driver sends or the simulated terminal understands.
const (
	CmdReadTable      Cmd = 7 // template table, as the inner command of a buffered read
	CmdWriteUser      Cmd = 8
	CmdReadTemplate   Cmd = 9 // also: user table, as the inner command of a buffered read
	CmdReadOption     Cmd = 11
	CmdWriteOption    Cmd = 12
	CmdReadAttendance Cmd = 13
	CmdClearData      Cmd = 14
	CmdClearAttLog    Cmd = 15
	CmdDeleteUser     Cmd = 18
	CmdDeleteTemplate Cmd = 19
	CmdClearAdmin     Cmd = 20
	CmdClearOplog     Cmd = 33
	CmdReadOplog      Cmd = 34
	CmdSizes          Cmd = 50
	CmdStartVerify    Cmd = 60
	CmdStartEnroll    Cmd = 61
	CmdCancelCapture  Cmd = 62
	CmdWriteTemplate  Cmd = 87
	CmdReadTemplate2  Cmd = 88
	CmdChecksum       Cmd = 119
	CmdDeleteFinger   Cmd = 134
	CmdGetTime        Cmd = 201
	CmdSetTime        Cmd = 202
	CmdRegEvent       Cmd = 500
	CmdConnect        Cmd = 1000
	CmdExit           Cmd = 1001
	CmdEnable         Cmd = 1002
	CmdDisable        Cmd = 1003
	CmdRestart        Cmd = 1004
	CmdRefreshData    Cmd = 1013
	CmdRefreshOption  Cmd = 1014
	CmdVersion        Cmd = 1100
	CmdAuth           Cmd = 1102
	CmdPrepareData    Cmd = 1500
	CmdData           Cmd = 1501
	CmdFreeData       Cmd = 1502
	CmdOpenRead       Cmd = 1503
	CmdReadChunk      Cmd = 1504
)

// Replies.
const (
	AckOK        Cmd = 2000
	AckError     Cmd = 2001
	AckData      Cmd = 2002
	AckRetry     Cmd = 2003
	AckRepeat    Cmd = 2004
	AckUnauth    Cmd = 2005
	AckErrorData Cmd = 65531
	AckErrorInit Cmd = 65532
	AckErrorCmd  Cmd = 65533
	AckUnknown   Cmd = 65535
)

// String names the command for people who read a trace or an error.
func (c Cmd) String() string {
	if n, ok := names()[c]; ok {
		return n
	}
	return "command " + strconv.Itoa(int(c))
}

// Refusal reports whether the reply says no in one of the protocol's ways.
func (c Cmd) Refusal() bool {
	switch c {
	case AckError, AckUnauth, AckErrorData, AckErrorInit, AckErrorCmd, AckUnknown:
		return true
	default:
		return false
	}
}

func names() map[Cmd]string {
	return map[Cmd]string{
		CmdReadTable: "read template table", CmdWriteUser: "write user", CmdReadTemplate: "read template",
		CmdReadOption: "read option", CmdWriteOption: "write option", CmdReadAttendance: "read attendance",
		CmdClearData: "clear data", CmdClearAttLog: "clear attendance", CmdDeleteUser: "delete user",
		CmdDeleteTemplate: "delete template", CmdClearAdmin: "clear administrators", CmdClearOplog: "clear operation log",
		CmdReadOplog: "read operation log", CmdSizes: "read sizes", CmdStartVerify: "start verify",
		CmdStartEnroll: "start enroll", CmdCancelCapture: "cancel capture", CmdWriteTemplate: "write template",
		CmdReadTemplate2: "read one template", CmdChecksum: "check buffer", CmdDeleteFinger: "delete finger",
		CmdGetTime: "read clock", CmdSetTime: "set clock", CmdRegEvent: "register events", CmdConnect: "connect",
		CmdExit: "exit", CmdEnable: "enable", CmdDisable: "disable", CmdRestart: "restart",
		CmdRefreshData: "refresh data", CmdRefreshOption: "refresh options", CmdVersion: "read version",
		CmdAuth: "authenticate", CmdPrepareData: "prepare data", CmdData: "data", CmdFreeData: "free data",
		CmdOpenRead: "open buffered read", CmdReadChunk: "read chunk",
		AckOK: "ok", AckError: "error", AckData: "data", AckRetry: "retry", AckRepeat: "repeat",
		AckUnauth: "not authorized", AckErrorData: "data error", AckErrorInit: "not initialized",
		AckErrorCmd: "command error", AckUnknown: "unknown command",
	}
}
