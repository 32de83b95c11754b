import type { JsonObject } from '@slipway/prefect/json';
import { ANY, NULL, plain, type Type } from './type.ts';

const STRING = { type: 'string' };
const BYTES = plain({ type: 'string', format: 'binary' }, 'bytes');

function formatted(format: string): Type {
  return plain({ type: 'string', format });
}

/** Constraints on dates and times are checked and not shown. */
function temporal(format: string): Type {
  return plain({ type: 'string', format }, 'silent');
}

function number(json: JsonObject = {}): Type {
  return plain({ type: 'number', ...json }, 'number');
}

function integer(json: JsonObject = {}): Type {
  return plain({ type: 'integer', ...json }, 'number');
}

function url(json: JsonObject = {}): Type {
  return plain({ type: 'string', format: 'uri', minLength: 1, ...json }, 'text');
}

const MULTI_HOST = plain({ type: 'string', format: 'multi-host-uri', minLength: 1 }, 'text');
const DATE = temporal('date');
const DATE_TIME = temporal('date-time');
const PATH = formatted('path');
const REGEX = formatted('regex');
const PASSWORD = plain({ type: 'string', format: 'password', writeOnly: true }, 'text');
const BYTE_SIZE = plain({
  anyOf: [
    { type: 'string', pattern: '^\\s*(\\d*\\.?\\d+)\\s*(\\w+)?' },
    { type: 'integer', minimum: 0 },
  ],
});

/** Types outside the repository that stand for themselves, by canonical name (goldens: fixtures/signatures). */
const KNOWN: Readonly<Record<string, Type>> = {
  'builtins.int': integer(),
  'builtins.float': number(),
  'builtins.bool': plain({ type: 'boolean' }),
  'builtins.str': plain(STRING, 'text'),
  'builtins.bytes': BYTES,
  'builtins.complex': plain(STRING),
  'builtins.object': ANY,
  'builtins.type': ANY,
  'typing.Any': ANY,
  'typing.Text': plain(STRING, 'text'),
  'typing.AnyStr': { kind: 'union', choices: [BYTES, plain(STRING, 'text')] },
  'types.NoneType': NULL,
  'datetime.date': DATE,
  'datetime.datetime': DATE_TIME,
  'datetime.time': temporal('time'),
  'datetime.timedelta': temporal('duration'),
  'uuid.UUID': formatted('uuid'),
  'decimal.Decimal': { kind: 'number or text', json: {}, text: STRING },
  'fractions.Fraction': { kind: 'number or text', json: {}, text: { type: 'string', format: 'fraction' } },
  'zoneinfo.ZoneInfo': formatted('zoneinfo'),
  'os.PathLike': PATH,
  'pathlib.Path': PATH,
  'pathlib.PurePath': PATH,
  'pathlib.PosixPath': PATH,
  'pathlib.PurePosixPath': PATH,
  'pathlib.PureWindowsPath': PATH,
  'ipaddress.IPv4Address': formatted('ipv4'),
  'ipaddress.IPv4Interface': formatted('ipv4interface'),
  'ipaddress.IPv4Network': formatted('ipv4network'),
  'ipaddress.IPv6Address': formatted('ipv6'),
  'ipaddress.IPv6Interface': formatted('ipv6interface'),
  'ipaddress.IPv6Network': formatted('ipv6network'),
  're.Pattern': REGEX,
  'typing.Pattern': REGEX,
  'pydantic.PositiveInt': integer({ exclusiveMinimum: 0 }),
  'pydantic.NegativeInt': integer({ exclusiveMaximum: 0 }),
  'pydantic.NonNegativeInt': integer({ minimum: 0 }),
  'pydantic.NonPositiveInt': integer({ maximum: 0 }),
  'pydantic.PositiveFloat': number({ exclusiveMinimum: 0 }),
  'pydantic.NegativeFloat': number({ exclusiveMaximum: 0 }),
  'pydantic.NonNegativeFloat': number({ minimum: 0 }),
  'pydantic.NonPositiveFloat': number({ maximum: 0 }),
  'pydantic.FiniteFloat': number(),
  'pydantic.StrictInt': integer(),
  'pydantic.StrictFloat': number(),
  'pydantic.StrictBool': plain({ type: 'boolean' }),
  'pydantic.StrictStr': plain(STRING, 'text'),
  'pydantic.StrictBytes': BYTES,
  'pydantic.UUID1': formatted('uuid1'),
  'pydantic.UUID3': formatted('uuid3'),
  'pydantic.UUID4': formatted('uuid4'),
  'pydantic.UUID5': formatted('uuid5'),
  'pydantic.UUID6': formatted('uuid6'),
  'pydantic.UUID7': formatted('uuid7'),
  'pydantic.UUID8': formatted('uuid8'),
  'pydantic.FilePath': formatted('file-path'),
  'pydantic.DirectoryPath': formatted('directory-path'),
  'pydantic.NewPath': PATH,
  'pydantic.PastDate': formatted('date'),
  'pydantic.FutureDate': formatted('date'),
  'pydantic.PastDatetime': formatted('date-time'),
  'pydantic.FutureDatetime': formatted('date-time'),
  'pydantic.AwareDatetime': formatted('date-time'),
  'pydantic.NaiveDatetime': formatted('date-time'),
  'pydantic.Json': { kind: 'json text', content: ANY },
  'pydantic.SecretStr': PASSWORD,
  'pydantic.SecretBytes': PASSWORD,
  'pydantic.ByteSize': BYTE_SIZE,
  'pydantic.Base64Bytes': formatted('base64'),
  'pydantic.Base64Str': formatted('base64'),
  'pydantic.Base64UrlBytes': formatted('base64url'),
  'pydantic.Base64UrlStr': formatted('base64url'),
  'pydantic.EmailStr': formatted('email'),
  'pydantic.NameEmail': formatted('name-email'),
  'pydantic.AnyUrl': url(),
  'pydantic.AnyHttpUrl': url(),
  'pydantic.HttpUrl': url({ maxLength: 2083 }),
  'pydantic.FileUrl': url(),
  'pydantic.AnyWebsocketUrl': url(),
  'pydantic.WebsocketUrl': url({ maxLength: 2083 }),
  'pydantic.FtpUrl': url(),
  'pydantic.AmqpDsn': url(),
  'pydantic.RedisDsn': url(),
  'pydantic.MySQLDsn': url(),
  'pydantic.MariaDBDsn': url(),
  'pydantic.ClickHouseDsn': url(),
  'pydantic.SnowflakeDsn': url(),
  'pydantic.CockroachDsn': url(),
  'pydantic.KafkaDsn': url(),
  'pydantic.PostgresDsn': MULTI_HOST,
  'pydantic.MongoDsn': MULTI_HOST,
  'pydantic.NatsDsn': MULTI_HOST,
  'pydantic.IPvAnyAddress': formatted('ipvanyaddress'),
  'pydantic.IPvAnyInterface': formatted('ipvanyinterface'),
  'pydantic.IPvAnyNetwork': formatted('ipvanynetwork'),
  'pydantic.ImportString': plain(STRING),
  'pydantic_extra_types.pendulum_dt.DateTime': DATE_TIME,
  'pydantic_extra_types.pendulum_dt.Date': DATE,
  'pydantic_extra_types.pendulum_dt.Duration': formatted('duration'),
  'prefect.types.DateTime': DATE_TIME,
  'prefect.types.Date': DATE,
  'prefect.types.NonNegativeFloat': number({ minimum: 0 }),
  'prefect.types.NonNegativeInteger': integer({ minimum: 0 }),
  'prefect.types.PositiveInteger': integer({ exclusiveMinimum: 0 }),
};

/**
 * Classes that pydantic only checks with isinstance(), which is no restriction in JSON: Prefect's schema generator
 * writes `{}` for them (_internal/pydantic/schemas.py).
 */
const ARBITRARY: ReadonlySet<string> = new Set([
  'argparse.Namespace',
  'asyncio.Queue',
  'contextlib.ExitStack',
  'datetime.timezone',
  'datetime.tzinfo',
  'io.BytesIO',
  'io.StringIO',
  'io.TextIOWrapper',
  'logging.Logger',
  'logging.LoggerAdapter',
  'numbers.Number',
  'numpy.ndarray',
  'pandas.DataFrame',
  'pendulum.Date',
  'pendulum.DateTime',
  'pendulum.Duration',
  'pandas.Series',
  'polars.DataFrame',
  'polars.LazyFrame',
  'types.ModuleType',
  'types.SimpleNamespace',
]);

/** typing's and collections.abc's names for anything with some methods, which JSON cannot restrict either. */
const ABSTRACT: ReadonlySet<string> = new Set(
  (
    'Collection Container Iterator Reversible Sized Hashable Awaitable Coroutine AsyncIterable AsyncIterator ' +
    'AsyncGenerator KeysView ValuesView ItemsView MappingView ContextManager AsyncContextManager ChainMap ByteString ' +
    'IO TextIO BinaryIO Match SupportsInt SupportsFloat SupportsIndex SupportsAbs SupportsBytes SupportsComplex ' +
    'SupportsRound NoReturn Never LiteralString Buffer'
  ).split(' '),
);

/** The type of a name outside the repository that takes no arguments here; undefined when it is not known. */
export function knownType(name: string): Type | undefined {
  const known = KNOWN[name];
  if (known !== undefined) return known;
  if (ARBITRARY.has(name) || (isAbstract(name) && !name.endsWith('.Callable'))) return ANY;
  const builtin = name.startsWith('builtins.') ? name.slice('builtins.'.length) : undefined;
  // bytearray, exceptions …: classes without a schema; any, callable, print …: functions, which have none either.
  return builtin !== undefined && !CONTAINERS.has(builtin) ? ANY : undefined;
}

const CONTAINERS: ReadonlySet<string> = new Set(['list', 'dict', 'set', 'frozenset', 'tuple']);

/** True for the abstract types that are only checked for their methods. */
export function isAbstract(name: string): boolean {
  for (const module of ['typing.', 'collections.abc.', 'contextlib.', 're.', 'collections.']) {
    if (name.startsWith(module))
      return ABSTRACT.has(name.slice(module.length)) || name === 'contextlib.AbstractContextManager';
  }
  return false;
}
