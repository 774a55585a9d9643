## Top bar
menu-open = 열기
menu-recent = 최근 파일
menu-samples = 예제
menu-export = 내보내기
language-switch = 언어
samples-missing = 프로그램 옆에서 예제 폴더를 찾지 못했어요
export-needs-result = 이것은 그런 결과가 있을 때 내보낼 수 있어요
export-needs-structure = 먼저 구조를 열어야 내보낼 수 있어요

## Samples
sample-kinase = 키나아제와 저해제
sample-kinase-note = EGFR 키나아제와 엘로티닙 (PDB 1M17): 약물을 도킹해 결정 구조와 비교해요
sample-protease = 단백질 분해 효소 이합체
sample-protease-note = HIV-1 프로테아제와 KNI-272 (PDB 1HPX): 크고 유연한 저해제
sample-nuclear-receptor = 핵 수용체
sample-nuclear-receptor-note = 프로게스테론 수용체와 프로게스테론 (PDB 1A28): 닫힌 포켓 속의 단단한 리간드
sample-thrombin-series = 친화도가 측정된 리간드 계열
sample-thrombin-series-note = 트롬빈 저해제 열한 가지 (PDB 2ZFF): 점수가 순서를 맞힐까요?
sample-adenylate-kinase = 두 상태의 단백질
sample-adenylate-kinase-note = 열린·닫힌 아데닐산 키나아제 (PDB 4AKE, 1AKE): 7 Å의 변화
sample-dna-complex = DNA 위의 단백질
sample-dna-complex-note = 오퍼레이터에 붙은 Lac 억제자 머리 부분 (PDB 1LCD): 살펴볼 모델 세 개

## Welcome
welcome-title = 분자가 어떻게 결합하는지 보세요
welcome-text = 단백질 구조를 열고, 리간드를 더하고, 결합할 자리를 정한 뒤 예측하세요. 예제로 시작해도 좋아요. 모두 바로 실행할 수 있는 실제 사례예요.
welcome-open = 파일 열기…
welcome-drop = 또는 여기에 놓으세요: PDB, mmCIF, SDF, FASTA, 쿼리, 실행 폴더
welcome-samples = 예제로 시작하기
welcome-private = 모든 계산은 이 컴퓨터에서 이루어져요. 아무것도 밖으로 보내지 않아요.
menu-new = 새로 만들기
