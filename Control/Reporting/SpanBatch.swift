import FoundationEssentials
import Redaction
import Tracing

/// Spans as collectors take them: an ExportTraceServiceRequest in OTLP's JSON, every text redacted that is not ours.
///
/// Source: OpenTelemetry Protocol 1.x, "OTLP/HTTP" and "JSON Protobuf Encoding": ids in hexadecimal digits, 64-bit numbers as texts.
struct SpanBatch: Encodable {
    private struct Resource: Encodable { let attributes: [Attribute] }
    private struct Scope: Encodable { let name: String }

    private struct Attribute: Encodable {
        struct Value: Encodable {
            var stringValue: String?
            var intValue: String?
        }

        let key: String
        let value: Value

        init(_ key: String, _ text: String) { (self.key, value) = (key, Value(stringValue: text)) }

        init(_ attribute: Span.Finished.Attribute) {
            key = attribute.key
            value =
                switch attribute.value {
                case .text(let text): Value(stringValue: Redactor.redacted(text, upTo: 500))
                case .integer(let number): Value(intValue: String(number))
                }
        }
    }

    private struct Shape: Encodable {
        struct Status: Encodable { let code: Int }

        let traceId: String
        let spanId: String
        let parentSpanId: String?
        let name: String
        let kind: Int
        let startTimeUnixNano: String
        let endTimeUnixNano: String
        let attributes: [Attribute]
        /// 2 is an error; none says nothing.
        let status: Status?

        init(_ span: Span.Finished) {
            traceId = span.context.traceID
            spanId = span.context.spanID
            parentSpanId = span.parentID
            name = span.name
            kind = span.kind.rawValue
            startTimeUnixNano = String(span.startUnixNs)
            endTimeUnixNano = String(span.endUnixNs)
            attributes = span.attributes.map(Attribute.init)
            status = span.isFailed ? Status(code: 2) : nil
        }
    }

    private struct ScopeSpans: Encodable {
        let scope: Scope
        let spans: [Shape]
    }

    private struct ResourceSpans: Encodable {
        let resource: Resource
        let scopeSpans: [ScopeSpans]
    }

    private let resourceSpans: [ResourceSpans]

    init(_ spans: [Span.Finished], of deployment: Deployment) {
        let resource = Resource(attributes: [
            Attribute("service.name", "strata-control"), Attribute("service.version", deployment.version),
            Attribute("service.instance.id", deployment.id), Attribute("deployment.environment.name", deployment.environment),
        ])
        resourceSpans = [
            ResourceSpans(resource: resource, scopeSpans: [ScopeSpans(scope: Scope(name: "strata"), spans: spans.map(Shape.init))])
        ]
    }

    func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }
}
