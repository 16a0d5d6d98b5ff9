import assert from 'node:assert/strict'
import { test } from 'node:test'
import { otherSpellings, sameness } from './spellings.ts'

test('what else a server may take a URI for', () => {
  const rows = [
    ['docs:page/1', ['docs:page/1/']],
    ['ui://app/main', ['ui://app/main/']],
    ['db://main/users?x=1', ['db://main/users/?x=1']],
    ['db://main/q?path=a%2Fb', ['db://main/q?path=a/b', 'db://main/q/?path=a%2Fb', 'db://main/q/?path=a/b']],
    ['file:///a/b%20c.txt', ['file:///a/b c.txt', 'file:///a/b%20c.txt/', 'file:///a/b c.txt/']],
    ['file:///a@b', ['file:///a@b/']],
    ['file:///a%40b', ['file:///a@b', 'file:///a%40b/', 'file:///a@b/']],
    ['db://u:p@MAIN:5/x/', ['db://main:5/x/', 'db://u:p@MAIN:5/x', 'db://main:5/x']],
    ['file://nas/a', ['file:///a', 'file://nas/a/', 'file:///a/']],
    [
      'file://NAS./a/',
      [
        'file://nas./a/',
        'file://NAS/a/',
        'file://nas/a/',
        'file:///a/',
        'file://NAS./a',
        'file://nas./a',
        'file://NAS/a',
        'file://nas/a',
        'file:///a',
      ],
    ],
    ['http://h./x', ['http://h/x', 'http://h./x/', 'http://h/x/']],
    ['http://h:80/x', ['http://h/x', 'http://h:80/x/', 'http://h/x/']],
    ['http://h.:8080/x', ['http://h:8080/x', 'http://h.:8080/x/', 'http://h:8080/x/']],
    ['db://h..:5/x', ['db://h:5/x', 'db://h..:5/x/', 'db://h:5/x/']],
    ['http://127.1/x', ['http://127.0.0.1/x', 'http://127.1/x/', 'http://127.0.0.1/x/']],
    ['http://xn--bcher-kva.de/x', ['http://b\u00fccher.de/x', 'http://xn--bcher-kva.de/x/', 'http://b\u00fccher.de/x/']],
    [
      'http://b\u00fccher.de:80/x/',
      [
        'http://xn--bcher-kva.de/x/',
        'http://b\u00fccher.de/x/',
        'http://b\u00fccher.de:80/x',
        'http://xn--bcher-kva.de/x',
        'http://b\u00fccher.de/x',
      ],
    ],
    ['file:/a', ['file:///a', 'file:/a/', 'file:///a/']],
    ['http:h/x', ['http://h/x', 'http:h/x/', 'http://h/x/']],
    ['DB://m/x', ['db://m/x', 'DB://m/x/', 'db://m/x/']],
    ['note:e\u0301', ['note:e%CC%81', 'note:\u00e9', 'note:e\u0301/', 'note:e%CC%81/', 'note:\u00e9/']],
  ] as const
  for (const [uri, expected] of rows) assert.deepEqual(otherSpellings(uri)?.toSorted(), expected.toSorted(), uri)
})

test('spelled as no URI has to be: nobody can tell what a server takes it for', () => {
  for (const uri of [
    'file:///a//b',
    'file:////a/b',
    'docs:a//b',
    'file:///a#',
    'file:///a#b',
    'file:///a?',
    'file:///a%2Fb',
    'file:///a%5Cb',
    'file:///a%2fb',
    'file:///a\\b',
    'file:///%c3%a9',
    'file:///%C3',
    'file:///%C0%AF',
    'file:///100%',
    'file:///%252Fa',
    'file:///%61',
    'file:///a%00',
    'file:///a/../b',
    'docs:../b',
    'file:///a b',
    'no uri',
    '',
  ])
    assert.equal(otherSpellings(uri), undefined, JSON.stringify(uri))
})

test('URIs that are likely to be one and the same', () => {
  const groups = [
    [
      'file:///a/b c',
      'FILE:///a//b%20c',
      'file://localhost/a/./b%20c/',
      'file:///a/b%20c#x',
      'file:////a/b%20c?',
      'file://HOST/a/b%20c',
      'file://host./a/b c',
    ],
    ['db://main/users', 'db://MAIN/users/', 'db://u@main/us%65rs', 'db://main./users'],
    ['http://h/x', 'http://h:80/x', 'http://H./x', 'HTTP://h.:80/x/'],
    ['http://b\u00fccher.de/x', 'http://xn--bcher-kva.de/x'],
    ['note:///\u00e9', 'note:/e\u0301', 'note:/%c3%a9'],
    ['db://main/users?x=1', 'db://main/users/?x=1'],
  ]
  const keys = groups.map((group) => new Set(group.map(sameness)))
  assert.deepEqual(
    keys.map((known) => known.size),
    [1, 1, 1, 1, 1, 1],
    JSON.stringify(keys.map((known) => [...known])),
  )
  assert.equal(new Set(keys.flatMap((known) => [...known])).size, groups.length)
})
