import { boolean, InputsOf, object, oneOf, string } from "../provider/types";

/* A folder of the host in a container, which the engine makes of `volumes` where it is missing, and not of these. */

const properties = {
  type: { type: oneOf<string>("bind"), required: true },
  target: { type: string, required: true },
  source: { type: string, required: true },
  readOnly: { type: boolean, default: false },
} as const;

export const mount = object(properties);

type Mount = InputsOf<typeof properties>;

/** As the Engine API takes and tells it. */
export interface MountBody {
  Type: string;
  Target: string;
  Source: string;
  ReadOnly?: boolean;
}

export const mountBody = ({ type, target, source, readOnly }: Mount): MountBody => ({
  Type: type,
  Target: target,
  Source: source,
  ReadOnly: readOnly,
});

export const mountOf = ({ Type, Target, Source, ReadOnly = false }: MountBody): Mount => ({
  type: Type,
  target: Target,
  source: Source,
  readOnly: ReadOnly,
});
