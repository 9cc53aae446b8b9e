export const handler = () => [process.env.WARD, process.env["pager-token"] ?? process.env.PAGER_TOKEN ?? null];
