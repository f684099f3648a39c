/// A pipeline in GStreamer's launch syntax, constant by its type: it is made from literals of the program and nothing else,
/// so that no value of a user, a file or a peer can become an element (THREATS 6).
package struct PipelineText: ExpressibleByStringLiteral, Sendable, CustomStringConvertible {
    private let parts: [StaticString]

    package init(stringLiteral value: StaticString) { parts = [value] }

    private init(parts: [StaticString]) { self.parts = parts }

    package static func + (left: PipelineText, right: PipelineText) -> PipelineText {
        PipelineText(parts: left.parts + right.parts)
    }

    package static func += (left: inout PipelineText, right: PipelineText) { left = left + right }

    /// The parts with a space between them.
    package var description: String { parts.map { "\($0)" }.joined(separator: " ") }
}
