import TOML

package func fuzzTOML(_ bytes: [UInt8]) -> String? {
    do throws(TOMLFault) {
        let table = try TOMLTable.parse(bytes: bytes, limits: TOMLTable.Limits(bytes: 1 << 16, depth: 32))
        let written = table.document
        // Headers of nested arrays can be longer than the text they came from; the depth stays.
        guard let again = try? TOMLTable.parse(written, limits: TOMLTable.Limits(bytes: 1 << 24, depth: 33)) else {
            return "a document that does not read back"
        }
        // By their text: NaN is not equal to itself.
        return again.document == written ? nil : "a document that is another one when it is written and read"
    } catch {
        return error.position.line >= 1 && error.position.column >= 1 ? nil : "a fault without a place"
    }
}
