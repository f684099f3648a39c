import Fuzz
import Glibc

/// The parser to fuzz, by its name in `STRATA_FUZZ`.
private let target: FuzzTarget = {
    guard let name = getenv("STRATA_FUZZ").map({ String(cString: $0) }), let target = FuzzTarget(rawValue: name) else {
        fatalError("STRATA_FUZZ must be one of \(FuzzTarget.allCases.map(\.rawValue))")
    }
    return target
}()

/// libFuzzer's entry point.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    if let violation = target.violation(bytes) { fatalError(violation) }
    return 0
}
