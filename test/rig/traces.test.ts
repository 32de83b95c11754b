import { describe, expect, it } from 'vitest';
import { mountsUnder } from './rig-record.ts';
import { freeSubnet } from './subnet.ts';
import { rulesWith, traceNames } from './traces.ts';

describe('the rules of one rig in the firewall', () => {
  const saved = [
    '*nat',
    ':POSTROUTING ACCEPT [0:0]',
    '-A POSTROUTING -s 10.213.7.0/24 ! -o slip-ab12cd-d -m comment --comment slipway-rig-ab12cd -j MASQUERADE',
    '-A POSTROUTING -s 10.213.8.0/24 ! -o slip-000000-d -m comment --comment slipway-rig-000000 -j MASQUERADE',
    '-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE',
    'COMMIT',
    '*filter',
    '-A FORWARD -i slip-ab12cd-d -m comment --comment "slipway-rig-ab12cd" -j ACCEPT',
    'COMMIT',
  ].join('\n');

  it('are found by their comment, each in its table', () => {
    expect(rulesWith('slipway-rig-ab12cd', saved)).toEqual([
      {
        table: 'nat',
        rule: 'POSTROUTING -s 10.213.7.0/24 ! -o slip-ab12cd-d -m comment --comment slipway-rig-ab12cd -j MASQUERADE'.split(
          ' ',
        ),
      },
      {
        table: 'filter',
        rule: 'FORWARD -i slip-ab12cd-d -m comment --comment slipway-rig-ab12cd -j ACCEPT'.split(' '),
      },
    ]);
  });

  it('are none when the rig left none', () => {
    expect(rulesWith('slipway-rig-ffffff', saved)).toEqual([]);
  });

  it('have bridges whose names the kernel takes: at most 15 characters', () => {
    const { dockerBridge, podBridge } = traceNames('ab12cd');
    expect(Math.max(dockerBridge.length, podBridge.length)).toBeLessThanOrEqual(15);
  });
});

describe('a free network', () => {
  it.each([
    [
      'no route is in the way',
      'default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0 scope link',
      [0.5],
      '10.213.128.',
    ],
    ['a route takes the first choice', '10.213.128.0/24 dev other', [0.5, 0.5], '172.29.128.'],
    ['a wide route takes the whole range', '10.0.0.0/8 dev vpn', [0, 0.25], '172.29.64.'],
    ['one address inside is enough', 'local 10.213.0.9 dev lo', [0, 0], '172.29.0.'],
  ])('%s', (_case, routes, draws, expected) => {
    expect(freeSubnet(routes, () => draws.shift() ?? 0)).toBe(expected);
  });

  it('is an error when all is taken', () => {
    expect(() => freeSubnet('10.0.0.0/8 dev a\n172.16.0.0/12 dev b', Math.random)).toThrow('no free private network');
  });
});

describe('the mounts inside a folder', () => {
  it('are listed innermost first, without those of a folder that only begins alike', () => {
    const table = [
      'tmpfs /a tmpfs rw 0 0',
      'tmpfs /a/b tmpfs rw 0 0',
      'tmpfs /ab tmpfs rw 0 0',
      'tmpfs /a/with\\040space tmpfs rw 0 0',
    ].join('\n');
    expect(mountsUnder('/a', table)).toEqual(['/a/with space', '/a/b', '/a']);
  });
});
