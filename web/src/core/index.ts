/** The engine: everything that the page needs and that is not a page. No framework, no DOM but canvases and blobs. */
export * from "./types";
export { httpSource, memorySource } from "./source";
export { openBundle } from "./bundle";
export { Engine } from "./engine";
export { cellMiddle, cellRect, gridRect, pixelToCell } from "./frame";
export { COLOUR_MAPS, MAP_NAMES, colourBar, tableOf } from "./colour";
export { paint, paintHeat, paintLabels, paintRgb, type Overlay, type PaintOptions } from "./paint";
export { sharedRange } from "./range";
export { DEFAULT_VIEW, decodeState, encodeState } from "./state";
export { toPython } from "./python";
export { toCsv } from "./csv";
export { toFigure, type FigureImage } from "./figure";
export { excluded } from "./rank";
export { MEASURES, type MeasureInfo } from "./measures";
export { Atoms, BINS, Codes, openAtoms, type AtomsColumn, type AtomsFile, type AtomsScore, type Coded, type GalleryImage, type Neighbour } from "./atoms";
export { cellIn, inRegion, labelOf, named, namesOf, sorted, type Hit, type Name, type Region } from "./atoms-find";
