// Looks at a simulated terminal through one independent client and prints what
// it saw as one JSON line.
//
// usage: node examine.cjs <client> <tcp|udp> <host> <port>
'use strict'

const [client, network, host, port] = process.argv.slice(2)

const modules = {
  'zkteco-js': { tcp: 'zkteco-js/src/ztcp', udp: 'zkteco-js/src/zudp' },
  'node-zklib': { tcp: 'node-zklib/zklibtcp', udp: 'node-zklib/zklibudp' },
  'zklib-js': { tcp: 'zklib-js/zklibtcp', udp: 'zklib-js/zklibudp' },
}

console.log = () => {} // clients chatter on the standard output

async function examine() {
  const Client = require(modules[client][network])
  const zk = new Client(host, Number(port), 5000, 0)
  await zk.createSocket()
  await zk.connect()
  const seen = { info: await zk.getInfo() }
  const users = await zk.getUsers()
  if (users.err) throw users.err
  seen.users = users.data.map(({ uid, userId, name, cardno, password }) => ({ uid, id: String(userId), name, card: cardno, pin: password }))
  const passes = await zk.getAttendances()
  seen.passes = passes.data.map((p) => String(p.deviceUserId ?? p.user_id))
  await zk.disableDevice()
  await zk.enableDevice()
  if (client === 'zkteco-js') seen.time = String(await zk.getTime())
  if (zk.getSerialNumber) seen.serial = await zk.getSerialNumber()
  if (client === 'zkteco-js' && network === 'tcp') {
    await zk.setUser(900, '900', 'Written By Npm', '4321', 0, 6543)
    await zk.setUser(901, '901', 'Short Lived', '', 0, 0)
    await zk.deleteUser(901)
    seen.firmware = await zk.getFirmware()
  }
  await zk.disconnect()
  return seen
}

examine().then(
  (seen) => { process.stdout.write(JSON.stringify(seen) + '\n', () => process.exit(0)) },
  (err) => { process.stderr.write(String((err && err.stack) || err) + '\n', () => process.exit(1)) },
)
