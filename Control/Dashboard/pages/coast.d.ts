// Made when the application is built, by `build/coast.mjs`.
declare module "coast" {
  const land: string;
  export default land;
}
