/**
 * Canonical names of what lies outside the repository, so that `typing_extensions.Annotated`, `typing.Annotated` and
 * `from typing import *` are one thing.
 */

/** Modules whose names are the same objects as another module's (where both have them). */
const SAME_MODULE: readonly (readonly [string, string])[] = [
  ['typing_extensions.', 'typing.'],
  ['pydantic.main.', 'pydantic.'],
  ['pydantic.fields.', 'pydantic.'],
  ['pydantic.types.', 'pydantic.'],
  ['pydantic.networks.', 'pydantic.'],
  ['pydantic.config.', 'pydantic.'],
  ['pydantic.functional_validators.', 'pydantic.'],
  ['pydantic.functional_serializers.', 'pydantic.'],
  ['pydantic.root_model.', 'pydantic.'],
  ['prefect.flows.', 'prefect.'],
  ['prefect.main.', 'prefect.'],
  ['prefect.tasks.', 'prefect.'],
];

/** One canonical dotted name for everything Python knows as one object. */
export function canonicalName(name: string): string {
  for (const [prefix, canonical] of SAME_MODULE) {
    if (name.startsWith(prefix)) return canonical + name.slice(prefix.length);
  }
  return name;
}

const BUILTINS: ReadonlySet<string> = new Set(
  (
    'abs all any ascii bin bool bytearray bytes callable chr classmethod compile complex delattr dict dir divmod ' +
    'enumerate eval exec filter float format frozenset getattr globals hasattr hash help hex id input int isinstance ' +
    'issubclass iter len list locals map max memoryview min next object oct open ord pow print property range repr ' +
    'reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip __import__ ' +
    'NotImplemented __name__ __file__ __doc__ __debug__ ' +
    'BaseException Exception ArithmeticError AssertionError AttributeError EOFError FileExistsError ' +
    'FileNotFoundError ImportError IndexError IOError KeyboardInterrupt KeyError LookupError MemoryError ' +
    'ModuleNotFoundError NameError NotImplementedError OSError OverflowError PermissionError RecursionError ' +
    'RuntimeError StopIteration SystemExit TimeoutError TypeError UnicodeError ValueError ZeroDivisionError'
  ).split(' '),
);

/** True for a name that needs no import. */
export function isBuiltin(name: string): boolean {
  return BUILTINS.has(name);
}

const STARS: Readonly<Record<string, string>> = {
  typing:
    'Annotated Any Callable ClassVar Concatenate Final ForwardRef Generic Literal Optional ParamSpec Protocol Tuple ' +
    'Type TypeVar TypeVarTuple Union AbstractSet ByteString Container ContextManager Hashable ItemsView Iterable ' +
    'Iterator KeysView Mapping MappingView MutableMapping MutableSequence MutableSet Sequence Sized ValuesView ' +
    'Awaitable AsyncIterator AsyncIterable Coroutine Collection AsyncGenerator AsyncContextManager Reversible ' +
    'SupportsAbs SupportsBytes SupportsComplex SupportsFloat SupportsIndex SupportsInt SupportsRound ChainMap Counter ' +
    'Deque Dict DefaultDict List OrderedDict Set FrozenSet NamedTuple TypedDict Generator BinaryIO IO Match Pattern ' +
    'TextIO AnyStr assert_type assert_never cast clear_overloads dataclass_transform final get_args get_origin ' +
    'get_overloads get_type_hints is_typeddict LiteralString Never NewType no_type_check no_type_check_decorator ' +
    'NoReturn NotRequired overload ParamSpecArgs ParamSpecKwargs Required reveal_type runtime_checkable Self Text ' +
    'TYPE_CHECKING TypeAlias TypeGuard Unpack',
  prefect:
    'allow_failure apause_flow_run aresume_flow_run aserve asuspend_flow_run deploy flow Flow get_client get_run_logger ' +
    'pause_flow_run resume_flow_run serve State suspend_flow_run tags task Task Transaction unmapped',
  pydantic:
    'field_validator model_validator AfterValidator BeforeValidator PlainValidator WrapValidator SkipValidation ' +
    'WithJsonSchema root_validator validator field_serializer model_serializer PlainSerializer WrapSerializer ConfigDict ' +
    'Field computed_field PrivateAttr AliasChoices AliasGenerator AliasPath BaseModel create_model AnyUrl AnyHttpUrl ' +
    'FileUrl HttpUrl FtpUrl EmailStr NameEmail IPvAnyAddress IPvAnyInterface IPvAnyNetwork PostgresDsn AmqpDsn RedisDsn ' +
    'MongoDsn KafkaDsn MySQLDsn RootModel Strict StrictStr conbytes conlist conset confrozenset constr StringConstraints ' +
    'ImportString conint PositiveInt NegativeInt NonNegativeInt NonPositiveInt confloat PositiveFloat NegativeFloat ' +
    'NonNegativeFloat NonPositiveFloat FiniteFloat condecimal condate UUID1 UUID3 UUID4 UUID5 FilePath DirectoryPath ' +
    'NewPath Json Secret SecretStr SecretBytes StrictBool StrictBytes StrictInt StrictFloat ByteSize PastDate FutureDate ' +
    'PastDatetime FutureDatetime AwareDatetime NaiveDatetime Base64Bytes Base64Str Tag Discriminator JsonValue ' +
    'TypeAdapter ValidationError ValidationInfo',
  datetime: 'date datetime time timedelta timezone tzinfo MINYEAR MAXYEAR UTC',
  enum: 'EnumType EnumMeta Enum IntEnum StrEnum Flag IntFlag ReprEnum auto unique property member nonmember',
  dataclasses:
    'dataclass field Field FrozenInstanceError InitVar KW_ONLY MISSING fields asdict astuple make_dataclass replace ' +
    'is_dataclass',
};

/**
 * Whether `from module import *` binds a name.
 *
 * @returns undefined when the module's public names are not known here.
 */
export function starBinds(module: string, name: string): boolean | undefined {
  const names = STARS[module === 'typing_extensions' ? 'typing' : module];
  return names === undefined ? undefined : names.split(' ').includes(name);
}
