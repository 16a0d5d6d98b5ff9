import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPodAddress, readAddress } from './pod-address.ts'

test('an address has one spelling; what is no address has none', () => {
  const rows: readonly (readonly [written: unknown, address: string | undefined])[] = [
    ['10.0.0.7', '10.0.0.7'],
    ['FD00:0::7', 'fd00::7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['fe80::1%eth0', undefined],
    ['010.0.0.7', undefined],
    ['0x0a000007', undefined],
    ['10.0.0', undefined],
    ['s.ns.svc', undefined],
    ['', undefined],
    [7, undefined],
    [null, undefined],
  ]
  for (const [written, address] of rows) assert.equal(readAddress(written), address, String(written))
})

test('which addresses can be those of pods', () => {
  const rows: readonly (readonly [isPod: boolean, addresses: string])[] = [
    [true, '10.0.0.7 100.64.0.7 172.16.0.7 192.168.0.7 203.0.113.7 192.0.0.191 fd00::7 2001:db8::7 240.0.0.7'],
    [true, '10.96.0.1 8.8.8.8 ::ffff:10.0.0.7 64:ff9b::8.8.8.8 2002:808:808::1 ::8.8.8.8 ::ffff:0:10.0.0.7 1::ffff:0:127.0.0.1'],
    [false, '127.0.0.1 127.7.7.7 ::1 ::ffff:127.0.0.1'],
    [false, '0.0.0.0 0.0.0.7 ::'],
    [false, '169.254.0.1 169.254.169.254 fe80::1 febf::1 ::ffff:169.254.169.254'],
    [false, '100.100.100.200 168.63.129.16 fd00:ec2::254 fd20:ce::254 64:ff9b::a9fe:a9fe'],
    [false, '224.0.0.1 239.255.255.255 ff02::1 255.255.255.255 192.0.0.192'],
    [false, '::127.0.0.1 ::7f00:1 ::169.254.169.254 ::ffff:0:127.0.0.1 ::ffff:0:169.254.169.254'],
    [false, '64:ff9b::127.0.0.1 64:ff9b::100.100.100.200 64:ff9b::168.63.129.16 64:ff9b:0:0:0:0:e000:1'],
    [false, '64:ff9b:1::a9fe:a9fe 64:ff9b:1:a9fe:a9:fe00:: 64:ff9b:1:ffff::1'],
    [false, '2002:7f00:1:: 2002:a9fe:a9fe:: 2002:a9fe:a9fe:1::5 2002:c000:c0:: 2002::1'],
  ]
  for (const [isPod, addresses] of rows) {
    for (const written of addresses.split(' ')) assert.equal(isPodAddress(readAddress(written) ?? ''), isPod, written)
  }
})
