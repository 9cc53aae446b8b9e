export const handler = () => "here";
