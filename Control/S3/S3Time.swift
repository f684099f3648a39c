import HTTP

/// A second as signatures write it: `20130524T000000Z`. Source: AWS Signature Version 4, "Elements of an API request signature".
package struct S3Time: Sendable, Hashable {
    package let stamp: String

    /// `20130524`
    package var day: String { String(stamp.prefix(8)) }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// - Parameter unixSeconds: of the years 0 to 9999.
    package init(unixSeconds: Int64) {
        // `Fri, 24 May 2013 00:00:00 GMT`
        let parts = HTTPDate.format(unixSeconds).split(separator: " ").map(String.init)
        let month = (Self.months.firstIndex(of: parts[2]) ?? 0) + 1
        stamp = "\(parts[3])\(month < 10 ? "0" : "")\(month)\(parts[1])T\(parts[4].filter { $0 != ":" })Z"
    }

    /// Unix seconds of a time in an answer, `2013-05-24T00:00:00.000Z`; nil for anything else. Fractions are cut off.
    package static func seconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        guard bytes.count >= 20, bytes.count <= 30, bytes.last == UInt8(ascii: "Z"), bytes[4] == UInt8(ascii: "-"),
            bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"), bytes.count == 20 || bytes[19] == UInt8(ascii: "."),
            let month = Int(part(5..<7)), (1...12).contains(month)
        else { return nil }
        // The weekday is not compared.
        return HTTPDate.parse("Mon, \(part(8..<10)) \(months[month - 1]) \(part(0..<4)) \(part(11..<19)) GMT")
    }
}
