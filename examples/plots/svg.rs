//! A plot of lines, small enough to be committed.
//!
//! Within a page it has the page's own colour of text. As a file of its own it follows what the
//! reader prefers, light or dark; the colours of the lines can be told from both.

use std::fmt::Write;

pub(crate) struct Plot<'a> {
    /// What it shows, for those who do not see it.
    pub(crate) title: &'a str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<Line>,
    /// Parts of the x axis, shaded in turn, with what is written there.
    pub(crate) parts: Vec<Part>,
}

pub(crate) struct Part {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) words: Vec<String>,
}

pub(crate) struct Axis {
    pub(crate) name: &'static str,
    pub(crate) scale: Scale,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Where it has a mark, and what is written there.
    pub(crate) marks: Vec<(f64, String)>,
}

#[derive(Clone, Copy)]
pub(crate) enum Scale {
    Linear,
    Logarithmic,
}

pub(crate) struct Line {
    /// What is written beside its end; a slash begins another line.
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
    /// Which of the colours; lines of one colour belong together.
    pub(crate) colour: usize,
    pub(crate) is_dashed: bool,
}

const COLOURS: [&str; 5] = ["#3b82f6", "#d9730d", "#2e9e5b", "#a371f7", "#808080"];

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 340.0;
/// The area of the lines: left, top, right and bottom.
const AREA: [f64; 4] = [80.0, 16.0, 500.0, 290.0];

impl Axis {
    /// Where a value is, from 0 to 1.
    fn at(&self, value: f64) -> f64 {
        let [from, to, value] = [self.from, self.to, value].map(|value| match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.log10(),
        });
        ((value - from) / (to - from)).clamp(0.0, 1.0)
    }
}

impl Plot<'_> {
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let [left, top, right, bottom] = AREA;
        (left + self.x.at(x) * (right - left), bottom - self.y.at(y) * (bottom - top))
    }

    /// Writes it. There is no empty line in it, so that Markdown takes it as it is.
    pub(crate) fn svg(&self) -> Result<String, std::fmt::Error> {
        let [left, top, right, bottom] = AREA;
        let mut svg = String::new();
        let out = &mut svg;
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" \
             fill=\"currentColor\">",
            self.title
        )?;
        // A page's own root is not an SVG: this is for the file alone.
        writeln!(
            out,
            "<style>svg:root {{ color: #1f2328; background: #fff }} \
             @media (prefers-color-scheme: dark) \
             {{ svg:root {{ color: #e6edf3; background: #0d1117 }} }}</style>"
        )?;
        self.parts(out)?;
        for (value, text) in &self.x.marks {
            let (x, _) = self.place((*value, self.y.from));
            grid(out, [x, top, x, bottom])?;
            writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                bottom + 18.0
            )?;
        }
        for (value, text) in &self.y.marks {
            let (_, y) = self.place((self.x.from, *value));
            grid(out, [left, y, right, y])?;
            writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                left - 8.0,
                y + 4.0
            )?;
        }
        let middle = (left + right) / 2.0;
        let (x, y) = (self.x.name, self.y.name);
        writeln!(
            out,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{x}</text>",
            HEIGHT - 8.0
        )?;
        writeln!(
            out,
            "<text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{y}</text>",
            (top + bottom) / 2.0
        )?;
        self.lines(out)?;
        writeln!(out, "</svg>")?;
        Ok(svg)
    }

    /// The parts, every other one shaded.
    fn parts(&self, out: &mut String) -> std::fmt::Result {
        let [_, top, _, bottom] = AREA;
        for (at, part) in self.parts.iter().enumerate() {
            let [from, to] = [part.from, part.to].map(|x| self.place((x, self.y.from)).0);
            if at % 2 == 1 {
                let (width, height) = (to - from, bottom - top);
                writeln!(
                    out,
                    "<rect x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\" \
                     fill=\"currentColor\" fill-opacity=\"0.07\"/>"
                )?;
            }
            for (line, words) in part.words.iter().enumerate() {
                let (x, y) = ((from + to) / 2.0, top + 14.0 + 14.0 * line as f64);
                writeln!(
                    out,
                    "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"11\">{words}</text>"
                )?;
            }
        }
        Ok(())
    }

    /// The lines, and their names beside their ends, as near as there is room.
    fn lines(&self, out: &mut String) -> std::fmt::Result {
        let mut names: Vec<(f64, &Line)> = Vec::new();
        for line in &self.lines {
            let points: Vec<(f64, f64)> = line.points.iter().map(|at| self.place(*at)).collect();
            let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let width = if points.len() > 100 { 1.5 } else { 2.5 };
            let dash = if line.is_dashed { " stroke-dasharray=\"6 4\"" } else { "" };
            writeln!(
                out,
                "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"{dash} points=\"{}\"/>",
                COLOURS[line.colour],
                path.join(" ")
            )?;
            names.extend(points.last().map(|(_, y)| (*y, line)));
        }
        names.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let mut free = AREA[1];
        for (y, line) in names {
            let (x, y) = (AREA[2] + 12.0, y.max(free));
            free = y + 18.0;
            let (name, colour) = (&line.name, COLOURS[line.colour]);
            writeln!(out, "<circle cx=\"{x}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>")?;
            for (at, words) in name.split('/').enumerate() {
                let y = y + 4.0 + 16.0 * at as f64;
                writeln!(out, "<text x=\"{}\" y=\"{y:.1}\">{words}</text>", x + 10.0)?;
                free = y + 14.0;
            }
        }
        Ok(())
    }
}

fn grid(out: &mut String, [x1, y1, x2, y2]: [f64; 4]) -> std::fmt::Result {
    writeln!(
        out,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" \
         stroke=\"currentColor\" stroke-opacity=\"0.15\"/>"
    )
}
