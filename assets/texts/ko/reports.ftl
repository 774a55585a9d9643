## 보고서
report-settings = 설정
report-provenance = 출처
report-picture = 화면
report-subtitle = { $engine } · 시드 { $seeds }
report-formula = 구조식
report-properties = 리간드의 성질
report-passed = 통과
report-failed = 실패
report-more = { $count ->
    [one] 실행 파일에 1줄 더 있음
   *[other] 실행 파일에 { $count }줄 더 있음
}
property-formula = 분자식
property-weight = 분자량, g/mol
property-log-p = logP
property-tpsa = TPSA, Å²
property-donors = 수소 주개
property-acceptors = 수소 받개
property-rotatable = 회전 결합
property-qed = QED
provenance-program = 프로그램
provenance-engine = 엔진
provenance-seeds = 시드
provenance-finished = 끝난 때
