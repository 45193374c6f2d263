/** The server's questions and answers, written from docs/openapi.json by `npm run types`. */

export interface paths {
    "/api/annotations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Annotations
         * @description The marks that count, the oldest first; those of one image where one is named.
         */
        get: operations["get_annotations"];
        put?: never;
        /**
         * Add Annotations
         * @description Keep marks: all of them or none. They are on disk when this answers.
         */
        post: operations["add_annotations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/annotations/agreement": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Agreement
         * @description Cohen's kappa of every two annotators who have looked at the same grid.
         */
        get: operations["get_agreement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/annotations/detect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Detect Anomalies
         * @description Mark unusual cells by rule, for a person to check. Earlier marks of the same rule there are replaced.
         */
        post: operations["detect_anomalies"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/annotations/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export Annotations
         * @description The marks that count, as a file.
         */
        get: operations["export_annotations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/annotations/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Import Annotations
         * @description Take the marks of a file that was exported here, Parquet, COCO or JSON; known ones are not taken twice.
         */
        post: operations["import_annotations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/annotations/{mark}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete Annotation
         * @description Take a mark back; its history stays on disk.
         */
        delete: operations["delete_annotation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/directions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Directions
         * @description The directions that were painted and kept.
         */
        get: operations["get_directions"];
        put?: never;
        /**
         * Add Direction
         * @description Keep a painted probe as a dictionary of one atom, with which `denoscope.add` steers.
         */
        post: operations["add_direction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/exact": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compare Exactly
         * @description One cell against all cells of some images, with the store's values in fp32.
         */
        post: operations["compare_exactly"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Add Image
         * @description Take a picture in; it joins the bundle under a digest of its pixels. What is known is not taken twice.
         */
        post: operations["add_image"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Jobs
         * @description Every job, the newest first.
         */
        get: operations["get_jobs"];
        put?: never;
        /**
         * Add Job
         * @description Put work into the queue.
         */
        post: operations["add_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Job
         * @description One job as it stands.
         */
        get: operations["get_job"];
        put?: never;
        post?: never;
        /**
         * Cancel Job
         * @description Stop a job; what it has read stays.
         */
        delete: operations["cancel_job"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Watch Job
         * @description The job's changes as they come: `progress`, then `done`, `failed` or `cancelled`, each with the job as data.
         */
        get: operations["watch_job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Models
         * @description Every model that has a name, whether it is on this machine, and the command that fetches it.
         */
        get: operations["get_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make Plan
         * @description What reading would take.
         */
        post: operations["make_plan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Sites
         * @description Where a model can be read, in computing order.
         */
        get: operations["get_sites"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/steer/contrasts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Add Contrast
         * @description Keep the direction towards a value of a fact as a dictionary of one atom.
         */
        post: operations["add_contrast"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/steer/facts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Facts
         * @description Facts of the pictures behind a layer, from which a direction can be told.
         */
        get: operations["get_facts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/steer/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Sources
         * @description Directions that can be pushed.
         */
        get: operations["get_sources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/steered": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Steered
         * @description Every run of steering, the newest first.
         */
        get: operations["get_steered"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/steered/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Run
         * @description One run.
         */
        get: operations["get_run"];
        put?: never;
        post?: never;
        /**
         * Delete Run
         * @description Take a run away, with its pictures.
         */
        delete: operations["delete_run"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/steered/{run}/{layer}.png": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Picture
         * @description One picture of a run.
         */
        get: operations["get_picture"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/triplets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Triplets
         * @description Every answer of the odd-one-out game.
         */
        get: operations["get_triplets"];
        put?: never;
        /**
         * Add Triplet
         * @description Keep an answer of the odd-one-out game.
         */
        post: operations["add_triplet"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Version
         * @description Who is here: the page asks this first.
         */
        get: operations["get_version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Agreement
         * @description Agreement of every two annotators who have looked at the same image and layer.
         */
        Agreement: {
            /**
             * Note
             * @description What was compared.
             */
            note: string;
            /**
             * Pairs
             * @description Most cells first.
             */
            pairs: components["schemas"]["Pair"][];
        };
        /**
         * AtomMoved
         * @description How an atom's code changed, read from the finished pictures without any push.
         */
        AtomMoved: {
            /**
             * After
             * @description The same with the pushes.
             */
            after: number;
            /**
             * Atom
             * @description Which.
             */
            atom: number;
            /**
             * Before
             * @description Mean code over the cells of the part that was brushed, and over pictures.
             */
            before: number;
            /** @description After less before; over pictures. */
            change: components["schemas"]["Interval"];
            /**
             * Label
             * @description What it was found to stand for, where anybody has looked.
             */
            label: string;
            /**
             * Source
             * @description Id of the dictionary.
             */
            source: string;
        };
        /** Body_add_image */
        Body_add_image: {
            /**
             * File
             * @description PNG, JPEG, WebP, BMP, TIFF or GIF, at most 20 MB and 50 megapixels
             */
            file: string;
            /**
             * Title
             * @description What to call it; the file's name unless given
             */
            title?: string | null;
        };
        /** Body_import_annotations */
        Body_import_annotations: {
            /** File */
            file: string;
        };
        /**
         * Box
         * @description A rectangle around a thing.
         *
         *     Attributes:
         *         label: what it is.
         *         x, y, width, height: pixels of the image as it was read.
         */
        Box: {
            /** Height */
            height: number;
            /** Label */
            label: string;
            /** Width */
            width: number;
            /** X */
            x: number;
            /** Y */
            y: number;
        };
        /**
         * CellRef
         * @description One cell of an image's grid.
         */
        CellRef: {
            /**
             * Col
             * @description From the left.
             */
            col: number;
            /**
             * Image
             * @description Image id.
             */
            image: string;
            /**
             * Row
             * @description From the top.
             */
            row: number;
        };
        /**
         * ContrastAsk
         * @description A direction towards one value of a fact: what tells pictures that show it from the others at a layer.
         */
        ContrastAsk: {
            /**
             * Against
             * @description Where it leads from; all others unless given.
             */
            against?: string | null;
            /**
             * Fact
             * @description Such as background.
             */
            fact: string;
            /**
             * Layer
             * @description Layer id of the bundle: the site, and the noise at which it is read.
             */
            layer: string;
            /**
             * Value
             * @description Where the direction leads.
             */
            value: string;
        };
        /**
         * Cost
         * @description What a job would take.
         */
        Cost: {
            /**
             * Bytes
             * @description Of the store on disk.
             */
            bytes: number;
            /**
             * Note
             * @description What the estimate rests on.
             */
            note: string;
            /**
             * Passes
             * @description Forwards of the denoiser.
             */
            passes: number;
            /**
             * Seconds
             * @description Estimated, this model on this machine.
             */
            seconds: number;
        };
        /**
         * Counted
         * @description How many records were taken.
         */
        Counted: {
            /**
             * Added
             * @description New ones.
             */
            added: number;
            /**
             * Known
             * @description Those that were here before.
             * @default 0
             */
            known: number;
        };
        /**
         * DetectAsk
         * @description Let a rule mark cells, for a person to check.
         */
        DetectAsk: {
            /**
             * Cosine
             * @description `prototype`: cosine from which a cell is marked.
             * @default 0.8
             */
            cosine: number;
            /**
             * Images
             * @description Image ids.
             */
            images: string[];
            /**
             * Layer
             * @description Layer id of the bundle.
             */
            layer: string;
            /**
             * Ratio
             * @description `channel`: largest size of a channel, in medians of the cell's channels, from which a cell is marked.
             * @default 20
             */
            ratio: number;
            /**
             * Rule
             * @description `norm`: unusually long cells. `square`: those of them that fill 2 x 2. `channel`: cells in which one channel
             *     outweighs the others. `prototype`: cells that resemble the mean of those that people have marked in this layer.
             * @default norm
             * @enum {string}
             */
            rule: "norm" | "square" | "channel" | "prototype";
            /**
             * Z
             * @description `norm`, `square`: robust z-score of the norm, within the image, from which a cell is marked.
             * @default 6
             */
            z: number;
        };
        /**
         * Direction
         * @description A direction as it is kept: a dictionary of one atom.
         */
        Direction: {
            /**
             * Id
             * @description Address.
             */
            id: string;
            /**
             * Name
             * @description What it is called.
             */
            name: string;
            /**
             * Python
             * @description How to steer with it.
             */
            python: string;
            /**
             * Site
             * @description Where it acts.
             */
            site: string;
        };
        /**
         * DirectionAsk
         * @description A painted probe: a cell is on its positive side where vector . c + bias > 0, c being the cell of the pack.
         */
        DirectionAsk: {
            /**
             * Bias
             * @description Added to the product.
             */
            bias: number;
            /**
             * Layer
             * @description Layer id of the bundle.
             */
            layer: string;
            /**
             * Name
             * @description What it shall be called.
             * @default
             */
            name: string;
            /**
             * Negative
             * @description Cells that were painted as not having it.
             */
            negative?: components["schemas"]["CellRef"][];
            /**
             * Positive
             * @description Cells that were painted as having it.
             */
            positive?: components["schemas"]["CellRef"][];
            /**
             * Vector
             * @description Base64 of float32, little endian, as many as the layer's last band ends at: in the space of its packs (centred,
             *     and turned where the layer has a basis).
             */
            vector: string;
        };
        /**
         * ExactAsk
         * @description Compare one cell with all cells of some images, with the values of the store.
         */
        ExactAsk: {
            /**
             * Images
             * @description Image ids.
             */
            images: string[];
            /**
             * Layer
             * @description Layer id of the bundle.
             */
            layer: string;
            /**
             * Measure
             * @description How cells are compared.
             * @default cosine
             * @enum {string}
             */
            measure: "cosine" | "centred" | "dot" | "l2" | "norm" | "l1" | "linf";
            /** @description The cell that is asked about. */
            query: components["schemas"]["CellRef"];
        };
        /**
         * ExactMap
         * @description One image's map.
         */
        ExactMap: {
            /**
             * Cols
             * @description Cells from left to right.
             */
            cols: number;
            /**
             * Image
             * @description Image id.
             */
            image: string;
            /**
             * Rows
             * @description Cells from top to bottom.
             */
            rows: number;
            /**
             * Values
             * @description fp32, row after row; null where a value is not finite.
             */
            values: (number | null)[];
        };
        /**
         * ExtractAsk
         * @description Read images that are in the bundle.
         */
        ExtractAsk: {
            /**
             * Images
             * @description Image ids.
             */
            images: string[];
            /**
             * @description Which kind of job. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "extract";
            /**
             * Model
             * @description Name of a model (`GET /api/models`).
             */
            model: string;
            /**
             * Prompt
             * @description Text; `{fact}` stands for the image's fact.
             * @default
             */
            prompt: string;
            /**
             * Seed
             * @description Names the noise.
             * @default 0
             */
            seed: number;
            /**
             * Sites
             * @description Names, globs or aliases.
             */
            sites: string[];
            /**
             * Timesteps
             * @description Noise levels, 0 (least) ... 999 (most).
             */
            timesteps: number[];
        };
        /**
         * FactCount
         * @description A fact of the pictures behind a layer, and how many show each value.
         */
        FactCount: {
            /**
             * Fact
             * @description Such as category.
             */
            fact: string;
            /**
             * Values
             * @description Pictures by value, most first.
             */
            values: {
                [key: string]: number;
            };
        };
        /**
         * FactorMoved
         * @description What a classifier of renderings calls one factor, picture by picture.
         */
        FactorMoved: {
            /** @description Of the classifier, on renderings that it has not seen; `n` counts these. */
            accuracy: components["schemas"]["Interval"];
            /**
             * After
             * @description With them.
             */
            after: string[];
            /**
             * Before
             * @description Without pushes.
             */
            before: string[];
            /**
             * Control
             * @description With the random direction.
             */
            control?: string[];
            /**
             * Fact
             * @description Such as colour.
             */
            fact: string;
        };
        /**
         * GenerateAsk
         * @description Make a picture from a prompt and keep what the denoiser held on the way.
         */
        GenerateAsk: {
            /**
             * Guidance
             * @description Classifier-free scale; the model's own unless given.
             */
            guidance?: number | null;
            /**
             * @description Which kind of job. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "generate";
            /**
             * Model
             * @description Name of a model (`GET /api/models`).
             */
            model: string;
            /**
             * Negative
             * @description Text of the unconditional branch.
             * @default
             */
            negative: string;
            /**
             * Prompt
             * @description Text; `{fact}` stands for the image's fact.
             * @default
             */
            prompt: string;
            /**
             * Seed
             * @description Names the noise.
             * @default 0
             */
            seed: number;
            /**
             * Sites
             * @description Names, globs or aliases.
             */
            sites: string[];
            /**
             * Steps
             * @description Denoising steps; the model's own number unless given.
             */
            steps?: number | null;
            /**
             * Timesteps
             * @description The denoising steps nearest to these are kept.
             */
            timesteps: number[];
        };
        /**
         * ImageEntry
         * @description One picture and what is known of it.
         *
         *     Attributes:
         *         id: the sample's, in the store.
         *         title, group: for people.
         *         file: PNG or JPEG of at most 768 pixels a side.
         *         width, height: of the image as it was read; every coordinate is in its pixels.
         *         facts: scalars only.
         *         points, boxes: named places and rectangles.
         *         depth: grey PNG, near is bright: 255 log(far / d) / log(far / near).
         *         depth_range: near and far, in metres.
         *         segmentation: palette PNG and its labels.
         *         data: identifies the data set that it comes from; None for a picture that was added by hand.
         */
        ImageEntry: {
            /** Boxes */
            boxes?: components["schemas"]["Box"][] | null;
            /** Data */
            data?: string | null;
            /** Depth */
            depth?: string | null;
            /** Depth Range */
            depth_range?: [
                number,
                number
            ] | null;
            /** Facts */
            facts?: {
                [key: string]: string | number | boolean;
            };
            /** File */
            file: string;
            /** Group */
            group: string;
            /** Height */
            height: number;
            /** Id */
            id: string;
            /** Points */
            points?: components["schemas"]["Point"][] | null;
            segmentation?: components["schemas"]["Segmentation"] | null;
            /** Title */
            title: string;
            /** Width */
            width: number;
        };
        /**
         * Interval
         * @description A mean over pictures with its 95 % interval; no interval for a single picture.
         */
        Interval: {
            /** High */
            high?: number | null;
            /** Low */
            low?: number | null;
            /**
             * N
             * @description Pictures.
             */
            n: number;
            /** Value */
            value: number;
        };
        /**
         * Job
         * @description One piece of work in the queue, or its end.
         */
        Job: {
            /**
             * Ask
             * @description What was asked.
             */
            ask: components["schemas"]["ExtractAsk"] | components["schemas"]["GenerateAsk"] | components["schemas"]["SteerAsk"];
            /**
             * Created
             * @description UTC, ISO 8601.
             */
            created: string;
            /**
             * Done
             * @description Units of work done.
             */
            done: number;
            /**
             * Eta
             * @description Seconds left, once something is done.
             */
            eta: number | null;
            /**
             * Id
             * @description Address.
             */
            id: string;
            /**
             * Kind
             * @description What is done.
             * @enum {string}
             */
            kind: "extract" | "generate" | "steer";
            /**
             * Message
             * @description What it is doing, or why it ended.
             */
            message: string;
            /** @description What was made, when it is done. */
            result?: components["schemas"]["JobResult"] | null;
            /**
             * State
             * @description Where it stands; `failed` with a message that begins with `interrupted` when the server was stopped.
             * @enum {string}
             */
            state: "queued" | "running" | "done" | "failed" | "cancelled";
            /**
             * Total
             * @description Units of work in all; 0 until it is known.
             */
            total: number;
        };
        /**
         * JobResult
         * @description What a job has added to the bundle.
         */
        JobResult: {
            /**
             * Images
             * @description Image ids.
             */
            images: string[];
            /**
             * Layers
             * @description Layer ids.
             */
            layers: string[];
            /**
             * Note
             * @description What should be known about it, such as images that were left out.
             * @default
             */
            note: string;
            /**
             * Panels
             * @description Names of the panels that it added or extended.
             */
            panels?: string[];
            /**
             * Steered
             * @description Id of the steered pictures (`GET /api/steered/{id}`).
             * @default
             */
            steered: string;
        };
        /**
         * Mark
         * @description A mark as it is kept.
         */
        Mark: {
            /**
             * Annotator
             * @description Who says so.
             * @default
             */
            annotator: string;
            /**
             * Col
             * @description From the left; 0 for `none-here`.
             * @default 0
             */
            col: number;
            /**
             * Cols
             * @description Cells from left to right.
             */
            cols: number;
            /**
             * Id
             * @description Address.
             */
            id: string;
            /**
             * Image
             * @description Image id.
             */
            image: string;
            /**
             * Kind
             * @description Whether this marks a cell, or says that the image was looked at and has none.
             * @default mark
             * @enum {string}
             */
            kind: "mark" | "none-here";
            /**
             * Level
             * @description Noise level, as the layer spells it.
             */
            level: string;
            /**
             * Model
             * @description Model that was looked at.
             */
            model: string;
            /**
             * Row
             * @description From the top; 0 for `none-here`.
             * @default 0
             */
            row: number;
            /**
             * Rows
             * @description Cells from top to bottom of the grid that was looked at.
             */
            rows: number;
            /**
             * Seed
             * @description Of the noise.
             * @default 0
             */
            seed: number;
            /**
             * Site
             * @description Site that was looked at.
             */
            site: string;
            /**
             * Source
             * @description Whether a person said so or a rule.
             * @default person
             * @enum {string}
             */
            source: "person" | "detector";
            /**
             * Tag
             * @description Kind of anomaly, or free text; empty with `none-here`.
             * @default
             */
            tag: string;
            /**
             * Time
             * @description UTC, ISO 8601.
             */
            time: string;
        };
        /**
         * MarkAsk
         * @description A mark to be kept.
         */
        MarkAsk: {
            /**
             * Annotator
             * @description Who says so.
             * @default
             */
            annotator: string;
            /**
             * Col
             * @description From the left; 0 for `none-here`.
             * @default 0
             */
            col: number;
            /**
             * Cols
             * @description Cells from left to right.
             */
            cols: number;
            /**
             * Id
             * @description Address; made here unless given. What is known is not added twice.
             */
            id?: string | null;
            /**
             * Image
             * @description Image id.
             */
            image: string;
            /**
             * Kind
             * @description Whether this marks a cell, or says that the image was looked at and has none.
             * @default mark
             * @enum {string}
             */
            kind: "mark" | "none-here";
            /**
             * Level
             * @description Noise level, as the layer spells it.
             */
            level: string;
            /**
             * Model
             * @description Model that was looked at.
             */
            model: string;
            /**
             * Row
             * @description From the top; 0 for `none-here`.
             * @default 0
             */
            row: number;
            /**
             * Rows
             * @description Cells from top to bottom of the grid that was looked at.
             */
            rows: number;
            /**
             * Seed
             * @description Of the noise.
             * @default 0
             */
            seed: number;
            /**
             * Site
             * @description Site that was looked at.
             */
            site: string;
            /**
             * Source
             * @description Whether a person said so or a rule.
             * @default person
             * @enum {string}
             */
            source: "person" | "detector";
            /**
             * Tag
             * @description Kind of anomaly, or free text; empty with `none-here`.
             * @default
             */
            tag: string;
            /**
             * Time
             * @description UTC, ISO 8601; now unless given.
             */
            time?: string | null;
        };
        /**
         * ModelEntry
         * @description A model that can be asked for by name.
         */
        ModelEntry: {
            /**
             * Available
             * @description Whether its weights are on this machine.
             */
            available: boolean;
            /**
             * Command
             * @description The command that fetches it; empty where nothing is missing.
             */
            command: string;
            /**
             * Name
             * @description What `denoscope.load` calls it.
             */
            name: string;
            /**
             * Native Size
             * @description Side of its training images, pixels.
             */
            native_size: number;
            /**
             * Note
             * @description One line on what it is.
             */
            note: string;
            /**
             * Sites
             * @description Where it is best read, best first; `GET /api/sites` lists all.
             */
            sites: string[];
            /**
             * Timesteps
             * @description The noise levels that go with them.
             */
            timesteps: number[];
        };
        /**
         * Moved
         * @description How far one thing moved under the pushes, and under the control of equal size.
         */
        Moved: {
            /** @description With the random direction. */
            control?: components["schemas"]["Interval"] | null;
            /**
             * Name
             * @description What was measured.
             */
            name: string;
            /** @description Without pushes, where that is not 0 by definition. */
            plain?: components["schemas"]["Interval"] | null;
            /** @description With them. */
            steered: components["schemas"]["Interval"];
            /**
             * Unit
             * @description Of all numbers.
             */
            unit: string;
        };
        /**
         * Pair
         * @description How far two annotators agree on which cells are marked, over the images that both have looked at.
         */
        Pair: {
            /**
             * Annotators
             * @description Whose marks.
             */
            annotators: string[];
            /**
             * Both
             * @description Cells marked by both.
             */
            both: number;
            /**
             * Cells
             * @description How many cells both have judged.
             */
            cells: number;
            /**
             * First
             * @description Cells marked by the first alone.
             */
            first: number;
            /**
             * High
             * @description Upper end.
             */
            high: number | null;
            /**
             * Images
             * @description How many images those lie on.
             */
            images: number;
            /**
             * Kappa
             * @description Cohen's kappa over cells; null where neither marked anything, or either all.
             */
            kappa: number | null;
            /**
             * Low
             * @description Lower end of the 95 % interval, from a bootstrap over images.
             */
            low: number | null;
            /**
             * Second
             * @description Cells marked by the second alone.
             */
            second: number;
        };
        /**
         * PlanAsk
         * @description What would be read.
         */
        PlanAsk: {
            /**
             * Images
             * @description Image ids.
             */
            images: string[];
            /**
             * Model
             * @description Name of a model (`GET /api/models`).
             */
            model: string;
            /**
             * Prompt
             * @description Text; `{fact}` stands for the image's fact.
             * @default
             */
            prompt: string;
            /**
             * Seed
             * @description Names the noise.
             * @default 0
             */
            seed: number;
            /**
             * Sites
             * @description Names, globs or aliases.
             */
            sites: string[];
            /**
             * Timesteps
             * @description Noise levels, 0 (least) ... 999 (most).
             */
            timesteps: number[];
        };
        /**
         * Point
         * @description A named place in an image.
         *
         *     Attributes:
         *         name: what lies there.
         *         x, y: pixels of the image as it was read.
         *         visible: inside the image and not hidden.
         */
        Point: {
            /** Name */
            name: string;
            /**
             * Visible
             * @default true
             */
            visible: boolean;
            /** X */
            x: number;
            /** Y */
            y: number;
        };
        /**
         * Problem
         * @description Why a request was not answered.
         */
        Problem: {
            /**
             * Detail
             * @description One line: what was asked, what exists, and how to list it.
             */
            detail: string;
        };
        /**
         * Push
         * @description One direction and how it is used.
         */
        Push: {
            /**
             * Atom
             * @description Which of its directions.
             * @default 0
             */
            atom: number;
            /**
             * Edit
             * @description Push every cell along it, take it out, or multiply the atom's codes and keep what the dictionary leaves.
             * @default add
             * @enum {string}
             */
            edit: "add" | "ablate" | "codes";
            /**
             * Source
             * @description Id of a `SteerSource`.
             */
            source: string;
            /**
             * Strength
             * @description Of `add`: in root mean square lengths of the picture's cells at each step. Of `codes`: the factor.
             * @default 0.5
             */
            strength: number;
        };
        /**
         * Region
         * @description A part of the picture, in cells of a grid laid over it.
         */
        Region: {
            /**
             * Bits
             * @description Cells in reading order, four to a hexadecimal digit, the first one the highest bit; 1 where it acts.
             */
            bits: string;
            /**
             * Cols
             * @description From left to right.
             */
            cols: number;
            /**
             * Rows
             * @description From top to bottom.
             */
            rows: number;
        };
        /**
         * Segmentation
         * @description Which pixel belongs to what.
         *
         *     Attributes:
         *         file: palette PNG, below the bundle.
         *         labels: palette index, as text, to name.
         */
        Segmentation: {
            /** File */
            file: string;
            /** Labels */
            labels: {
                [key: string]: string;
            };
        };
        /**
         * SiteEntry
         * @description One place where a model can be read and that has a grid of cells.
         */
        SiteEntry: {
            /**
             * Channels
             * @description Width of a cell.
             */
            channels: number;
            /**
             * Cols
             * @description Cells from left to right.
             */
            cols: number;
            /**
             * Name
             * @description Canonical name.
             */
            name: string;
            /**
             * Rows
             * @description Cells from top to bottom at the native size.
             */
            rows: number;
            /**
             * Share
             * @description Share of the denoiser's work up to here, 0 ... 1.
             */
            share: number;
            /**
             * Shows
             * @description `words`: attention from cells to the words of a prompt, which becomes a panel instead of a layer.
             * @default cells
             * @enum {string}
             */
            shows: "cells" | "words";
        };
        /**
         * SteerAsk
         * @description Make pictures from the same noise without and with pushes, and tell what moved.
         */
        SteerAsk: {
            /**
             * Branch
             * @description Under guidance: rows with the prompt, with the negative one, or both.
             * @default both
             * @enum {string}
             */
            branch: "both" | "cond" | "uncond";
            /**
             * Control
             * @description Also push as far in a random direction, cell by cell: what any change of this size does.
             * @default true
             */
            control: boolean;
            /**
             * Guidance
             * @description Classifier-free scale; the model's own unless given.
             */
            guidance?: number | null;
            /**
             * Judge
             * @description Have classifiers of renderings call the factors of the pictures; for models of the menagerie.
             * @default false
             */
            judge: boolean;
            /**
             * @description Which kind of job. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            kind: "steer";
            /**
             * Model
             * @description Name of a model (`GET /api/models`).
             */
            model: string;
            /**
             * Negative
             * @description Text of the unconditional branch.
             * @default
             */
            negative: string;
            /**
             * Pictures
             * @description How many, each from its own noise.
             * @default 1
             */
            pictures: number;
            /**
             * Prompt
             * @description Text of all pictures.
             * @default
             */
            prompt: string;
            /**
             * Pushes
             * @description What is pushed; without any, only the pictures themselves are made.
             */
            pushes?: components["schemas"]["Push"][];
            /** @description Where it acts; everywhere unless given. */
            region?: components["schemas"]["Region"] | null;
            /**
             * Seed
             * @description Names the noise, together with the picture's number.
             * @default 0
             */
            seed: number;
            /**
             * Steps
             * @description Denoising steps; the model's own number unless given.
             */
            steps?: number | null;
            /**
             * Window
             * @description Denoising steps in which it acts: the first, and the one after the last, counted from the noisiest.
             */
            window?: number[] | null;
        };
        /**
         * SteerSource
         * @description Directions that can be pushed: a dictionary, or a direction that was painted or told from labels.
         */
        SteerSource: {
            /**
             * Activity
             * @description Share of held-out cells in which each atom is active; no list where it was not measured.
             */
            activity?: number[];
            /**
             * Atoms
             * @description How many directions.
             */
            atoms: number;
            /**
             * Digest
             * @description Of its weights, as panels of atoms tell it.
             * @default
             */
            digest: string;
            /**
             * Id
             * @description Names it in a `Push`.
             */
            id: string;
            /**
             * Kind
             * @description Of dictionary; `painted` for one direction.
             */
            kind: string;
            /**
             * Labels
             * @description What each atom was found to stand for, empty words where nothing was; no list where nobody has looked.
             */
            labels?: string[];
            /**
             * Model
             * @description Whose cells it was learned from; empty where that is not known.
             */
            model: string;
            /**
             * Name
             * @description For people.
             */
            name: string;
            /**
             * Site
             * @description Where its directions act.
             */
            site: string;
        };
        /**
         * Steered
         * @description One run, as it is kept.
         */
        Steered: {
            /** @description What was asked, with the numbers that the model chose itself. */
            ask: components["schemas"]["SteerAsk"];
            /**
             * Atoms
             * @description Those that changed most.
             */
            atoms: components["schemas"]["AtomMoved"][];
            /**
             * Command
             * @description The same as a command line; empty where one cannot say it.
             */
            command: string;
            /**
             * Created
             * @description UTC, ISO 8601.
             */
            created: string;
            /**
             * Factors
             * @description As judged, where judges were asked.
             */
            factors: components["schemas"]["FactorMoved"][];
            /**
             * Height
             * @description Of each picture, pixels.
             */
            height: number;
            /**
             * Id
             * @description Address.
             */
            id: string;
            /**
             * Layers
             * @description Which pictures there are: `GET /api/steered/{id}/{layer}.png?picture=0`.
             */
            layers: ("before" | "after" | "control" | "mask")[];
            /**
             * Moved
             * @description Pixels, and how unusual the activations became.
             */
            moved: components["schemas"]["Moved"][];
            /**
             * Notes
             * @description What should be known about it.
             */
            notes?: string[];
            /**
             * Python
             * @description The same as a program.
             */
            python: string;
            /**
             * Seconds
             * @description That it took.
             */
            seconds: number;
            /**
             * Width
             * @description Of each picture, pixels.
             */
            width: number;
        };
        /**
         * Triplet
         * @description An answer as it is kept.
         */
        Triplet: {
            /**
             * Images
             * @description The three that were shown.
             */
            images: string[];
            /**
             * Odd
             * @description The one that does not belong; one of the three.
             */
            odd: string;
            /**
             * Person
             * @description Who says so.
             * @default
             */
            person: string;
            /**
             * Time
             * @description UTC, ISO 8601.
             */
            time: string;
        };
        /**
         * TripletAsk
         * @description An answer to be kept.
         */
        TripletAsk: {
            /**
             * Images
             * @description The three that were shown.
             */
            images: string[];
            /**
             * Odd
             * @description The one that does not belong; one of the three.
             */
            odd: string;
            /**
             * Person
             * @description Who says so.
             * @default
             */
            person: string;
            /**
             * Time
             * @description UTC, ISO 8601; now unless given.
             */
            time?: string | null;
        };
        /**
         * Version
         * @description Who answers: a page that was built for another bundle version asks to be reloaded.
         */
        Version: {
            /**
             * Bundle
             * @description Version of the bundle format.
             */
            bundle: number;
            /**
             * Denoscope
             * @description Version of the package.
             */
            denoscope: string;
            /**
             * Live
             * @description A server is here, with annotations; models may still be missing (`models`).
             * @default true
             * @constant
             */
            live: true;
            /**
             * Models
             * @description How many can be asked for by name; 0 where the server was started without a store.
             */
            models: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_annotations: {
        parameters: {
            query?: {
                image?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mark"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_annotations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MarkAsk"][];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mark"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_agreement: {
        parameters: {
            query?: {
                tag?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agreement"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    detect_anomalies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DetectAsk"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mark"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_annotations: {
        parameters: {
            query?: {
                format?: "parquet" | "coco" | "json";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                    "application/vnd.apache.parquet": unknown;
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    import_annotations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["Body_import_annotations"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Counted"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_annotation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mark: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mark"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_directions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Direction"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_direction: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DirectionAsk"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Direction"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    compare_exactly: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExactAsk"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExactMap"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_image: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["Body_add_image"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageEntry"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_jobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_job: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExtractAsk"] | components["schemas"]["GenerateAsk"] | components["schemas"]["SteerAsk"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    watch_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_models: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelEntry"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    make_plan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanAsk"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cost"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_sites: {
        parameters: {
            query: {
                model: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteEntry"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_contrast: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ContrastAsk"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Direction"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_facts: {
        parameters: {
            query: {
                layer: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactCount"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_sources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SteerSource"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_steered: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Steered"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Steered"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Steered"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_picture: {
        parameters: {
            query?: {
                /** @description Which of the pictures */
                picture?: number;
            };
            header?: never;
            path: {
                run: string;
                layer: "before" | "after" | "control" | "mask";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A PNG. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": unknown;
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_triplets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Triplet"][];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_triplet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TripletAsk"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Triplet"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_version: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Version"];
                };
            };
            /** @description It cannot be done as it was asked. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is missing or wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another host name, or a page that is not the explorer. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something of that name does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than this address takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A value that is missing or breaks the rules. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The server was started without what this needs. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A file cannot be written, or is damaged. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
