// What pages need of Idiomorph: changing a page into another one in place.
export { Idiomorph } from "idiomorph";
