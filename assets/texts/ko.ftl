# 창의 한국어 문장.
# 문체: 단추와 이름은 명사형, 설명은 짧은 해요체. 단위는 빠뜨리지 않습니다.

## Commands
command-new = 새 쿼리
command-open = 파일 열기…
command-open-run = 실행 폴더 열기…
command-save = 쿼리 저장
command-save-as = 쿼리를 다른 이름으로 저장…
command-export-pdb = 구조 내보내기 (PDB)…
command-export-sdf = 결합 자세 내보내기 (SDF)…
command-export-csv = 표 내보내기 (CSV)…
command-export-png = 그림 내보내기 (PNG)…
command-undo = 실행 취소
command-redo = 다시 실행
command-predict = 예측
command-cancel = 취소
command-previous-pose = 이전 자세
command-next-pose = 다음 자세
command-play = 모델 재생 또는 일시 정지
command-cartoon = 리본
command-sticks = 막대
command-spheres = 구
command-site = 리간드 주변 곁사슬
command-interactions = 상호작용
command-reset-view = 전체 보기
command-focus-ligand = 리간드 또는 포켓 보기
command-select = 원자 선택
command-focus-selection = 선택한 곳으로 가기
command-hide-selection = 선택한 것 숨기기
command-isolate-selection = 선택한 것만 보기
command-show-all = 숨긴 원자 보기
command-appearance = 밝게 또는 어둡게
command-language = 언어 바꾸기
command-help = 단축키와 마우스

## Top bar
menu-open = 열기
menu-recent = 최근 파일
menu-samples = 예제
menu-export = 내보내기
language-switch = 언어
samples-missing = 프로그램 옆에서 예제 폴더를 찾지 못했어요
export-needs-poses = 결합 자세는 예측이 끝나면 내보낼 수 있어요
export-needs-structure = 먼저 구조를 열어야 내보낼 수 있어요

## Samples
sample-kinase = 키나아제와 저해제
sample-kinase-note = EGFR 키나아제와 엘로티닙 (PDB 1M17): 약물을 도킹해 결정 구조와 비교합니다
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
welcome-text = 단백질 구조를 열고, 리간드를 더하고, 결합할 자리를 정한 뒤 예측하세요. 예제로 시작해도 좋아요. 모두 바로 실행할 수 있는 실제 사례입니다.
welcome-open = 파일 열기…
welcome-drop = 또는 여기에 놓으세요: PDB, mmCIF, SDF, FASTA, 쿼리, 실행 폴더
welcome-samples = 예제로 시작하기
welcome-private = 모든 계산은 이 컴퓨터에서 이루어집니다. 아무것도 밖으로 보내지 않아요.

## Query
query-name = 이름
query-name-hint = 영문자, 숫자, _ . -
section-structure = 단백질 구조
section-ligands = 리간드
section-pocket = 포켓
section-sequences = 서열
section-settings = 설정
structure-choose = 구조 선택…
structure-hint = PDB 또는 mmCIF, .gz도 됩니다. 도킹에는 단백질의 알려진 구조가 필요해요.
structure-replace = 바꾸기…
structure-remove = 구조 제거
structure-from-apo = 하나뿐인 단백질의 비결합 구조
structure-others = 파일에 함께 있는 것: { $list }
structure-waters = { $count ->
   *[other] 물 분자 { $count }개
}
structure-models = { $count ->
   *[other] 모델 { $count }개 (도킹에는 첫 모델을 씁니다)
}
file-reading = 읽는 중…
chain-summary-protein = { $id } · 단백질, 잔기 { $count ->
   *[other] { $count }개
}
chain-summary-dna = { $id } · DNA, 뉴클레오타이드 { $count ->
   *[other] { $count }개
}
chain-summary-rna = { $id } · RNA, 뉴클레오타이드 { $count ->
   *[other] { $count }개
}
chain-summary-other = { $id } · 잔기 { $count ->
   *[other] { $count }개
}
entity-protein = 단백질 { $ids }
entity-dna = DNA { $ids }
entity-rna = RNA { $ids }
entity-pair = 단백질 쌍 { $ids }
entity-ligand = 리간드 { $ids }
entity-remove = { $name } 제거
sequence-length = { $count ->
   *[other] { $count }글자
}
sequence-of = { $name }의 서열
sequence-hint = 글자나 FASTA를 붙여 넣으세요
sequence-add-protein = 단백질 추가
sequence-add-dna = DNA 추가
sequence-add-rna = RNA 추가
sequences-hint = K-Fold와 기록에 쓰입니다. 도킹은 구조를 읽어요.
apo-file = 비결합 상태 { $number }: { $name }
apo-remove = { $name } 제거
apo-add = 비결합 구조 추가…
apo-hint = 상대 없이 있는 이 단백질의 구조입니다. 두 개가 있으면 그 사이의 변화를 볼 수 있어요.
smiles-hint = SMILES, 예: CC(=O)Oc1ccccc1C(=O)O
smiles-of = { $name }의 SMILES
smiles-empty = 리간드의 SMILES를 붙여 넣으면 여기에 그림이 나타나요
ligand-picture-of = { $name }의 구조식
ligand-numbers = { $formula } · { $weight } g/mol · { $rotatable ->
   *[other] 회전 가능한 결합 { $rotatable }개
}
ligand-drawing = 그리는 중…
ligand-ccd = 도킹은 성분 하나만 받아요. 여러 성분을 이은 리간드는 SMILES나 SDF로 주세요.
ligand-add-smiles = SMILES 추가
ligand-add-file = 파일 추가…
ligand-add-series = 계열 불러오기…
series-title = { $count ->
   *[other] 리간드 { $count }개의 계열
}
series-remove = 계열 제거
series-measured = pK { $pk }
series-more = 그 밖에 { $count }개
pocket-hint = 리간드가 결합할 자리를 정하세요: 파일 속 리간드 주변, 잔기 주변, 또는 상자. 정하지 않으면 도킹이 찾은 가장 좋은 포켓들을 탐색합니다
pocket-kind-ligand = 리간드 파일
pocket-kind-residues = 잔기
pocket-kind-box = 상자
pocket-remove = 포켓 제거
pocket-reference = 이 리간드 둘레에 상자를 둡니다. 같은 분자의 자세는 이것과 비교돼요.
pocket-around = { $name } 주변
pocket-padding = 여백
pocket-pick = 화면에서 잔기 고르기
pocket-residue = 추가할 잔기
pocket-residue-hint = A:145
pocket-residue-add = 추가
pocket-residue-remove = 잔기 { $name } 제거
pocket-center = 중심
pocket-size = 크기
pocket-box = ({ $center }) Å 둘레의 상자 { $size } Å

## Settings
settings-scoring = 점수 함수
settings-cnn = 신경망으로 순위 매기기
settings-cnn-hint = GNINA의 학습된 신경망이 자세를 평가하고 pK를 예측해요. 끄면 에너지만 쓰고 조금 빨라요.
settings-exhaustiveness = 탐색 강도
settings-exhaustiveness-hint = 탐색에 들이는 노력으로, 시간이 이에 비례합니다. 보통 8이고, 회전 가능한 결합이 열 개를 넘으면 32를 권해요.
settings-poses = 자세 수
settings-poses-hint = 리간드마다 남기는 자세의 최대 개수
settings-seed = 시드
settings-seed-hint = 시드가 같으면 결과도 같아요
settings-engine = 엔진
settings-samples = 샘플 수
settings-samples-hint = 샘플링할 복합체의 수이며 각각 신뢰도가 있어요
settings-recycles = 재순환
settings-recycles-hint = 첫 번째 이후 트렁크를 반복하는 횟수이며 많을수록 오래 걸려요
settings-steps = 단계 수
settings-steps-hint = 샘플러의 단계 수이며 많을수록 오래 걸려요
settings-apos = 아포 구조 수
settings-apos-hint = 구조가 주어지지 않은 단백질마다 만들 구조의 수, 1에서 5
settings-save-confidence = 모든 원자의 PAE, PDE, pLDDT 저장
settings-conformers = 단백질 형태 수
settings-conformers-hint = 가장 부드러운 움직임으로 만드는 단백질 형태(탄성 네트워크). 0이면 만들지 않아요.
settings-amplitude = 진폭
settings-amplitude-hint = 형태가 구조에서 벗어나는 정도: CA 원자의 RMSD
settings-threads = 스레드
settings-threads-hint = 0이면 모든 코어를 씁니다. 결과는 달라지지 않아요.
predict-engine = 엔진: { $engine }. 이 컴퓨터의 별도 프로세스에서 실행됩니다.
predict-server = 엔진: { $engine }. 서버 { $name }에서 실행됩니다. 쿼리와 파일을 그 서버로 보냅니다.

## Problems: why Predict is disabled
problem-name = 이름이 파일 이름이 됩니다. 영문자, 숫자, _ . - 만 쓰세요.
problem-no-name = 쿼리에 이름을 붙이세요
problem-letter-protein = { $position }번째 글자 { $letter }은(는) 아미노산이 아니에요. 지우거나, 모르는 잔기라면 X로 쓰세요.
problem-letter-dna = { $position }번째 글자 { $letter }은(는) DNA 염기가 아니에요. A, C, G, T를 쓰고, 모르는 염기는 N으로 쓰세요.
problem-letter-rna = { $position }번째 글자 { $letter }은(는) RNA 염기가 아니에요. A, C, G, U를 쓰고, 모르는 염기는 N으로 쓰세요.
problem-empty-sequence = 빈 서열이 있어요. 글자를 붙여 넣거나 제거하세요.
problem-no-structure = 단백질 구조를 선택하세요
problem-several-proteins = 단백질이 여럿이에요. 도킹할 구조를 선택하세요.
problem-structure-reading = 구조를 읽고 있어요
problem-structure-failed = 구조를 읽지 못했어요. 다른 파일을 선택하세요.
problem-no-ligand = 리간드를 추가하세요: SMILES를 붙여 넣거나 파일을 선택하세요
problem-no-entry = 단백질, DNA, RNA 또는 리간드를 추가하세요
problem-no-weights = K-Fold 가중치가 { $folder }에 없어요: “kfold-studio models”로 가져오세요
problem-empty-smiles = SMILES가 비어 있는 리간드가 있어요. 붙여 넣거나 리간드를 제거하세요.
problem-wrong-ligand = 이해할 수 없는 리간드가 있어요. 고쳐 주세요.
problem-no-residues = 포켓의 잔기를 A:145처럼 쓰거나 화면에서 고르세요
problem-residue = 구조에 잔기 { $name }이(가) 없어요. 사슬이나 번호를 고치세요.
problem-pocket-reading = 포켓을 읽고 있어요

## Run
stage-start = 시작하는 중
stage-prepare = 준비하는 중
stage-grids = 격자를 계산하는 중
stage-search = 자세를 찾는 중
stage-refine = 자세를 다듬는 중
stage-score = 신경망으로 평가하는 중
stage-check = 자세를 검사하는 중
stage-ensemble = 단백질 형태를 만드는 중
stage-write = 결과를 쓰는 중
stage-apo = 아포 구조를 접는 중
stage-tokens = 아포 구조를 읽는 중
stage-encode = 인코더를 실행하는 중
stage-trunk = 트렁크를 실행하는 중
stage-sampling = 복합체를 샘플링하는 중
stage-confidence = 신뢰도를 평가하는 중
stage-upload = 서버로 보내는 중
stage-queue = 서버에서 차례를 기다리는 중
stage-fetch = 결과를 받는 중
stage-waiting = 서버의 응답을 기다리는 중
run-where = 실행할 곳
run-here = 이 컴퓨터
run-progress = 진행
run-elapsed = { $time } 지남
run-left = 약 { $time } 남음
run-seeds = 시드 { $count }개 중 { $done }개 완료
run-cancelling = 취소하는 중…
run-cancelled = 예측을 취소했어요
run-no-program = 예측을 시작할 프로그램 파일을 찾지 못했어요. 설치된 자리에서 실행하세요.
time-seconds = { $count }초
time-minutes = { $count }분

## View
view-name = 3D 화면
view-representation = 표현
view-colour = 색 기준
view-site = 결합 자리
view-site-hint = 리간드에서 4.5 Å 안의 곁사슬
view-interactions = 상호작용
view-waters = 물
view-hint = 끌어서 돌리기, 오른쪽 단추로 끌어서 옮기기, 휠로 확대, 두 번 눌러 가운데로
view-software = 소프트웨어 렌더링
view-no-device = 3D 화면을 그릴 수 없어요: { $reason }
selection-field = 선택
selection-hint = 선택: chain A · /A:10-20 · resn HOH · byres (ligand around 5)
selection-count = 원자 { $atoms }개, 잔기 { $residues }개
selection-none = 그런 원자가 없어요
selection-wrong = { $column }번째 글자: { $what }; 올 수 있는 것: { $expected }.
selection-suggestion = { $word }인가요?
selection-hide = 숨기기
selection-isolate = 이것만
selection-show-all = 모두 보기
selection-grain = 눌러서 선택할 단위
measure-name = 재기
measure-hint = 원자를 차례로 누르세요: 거리는 둘, 각도는 셋, 이면각은 넷
measure-off = 눌러서 선택
measure-distance = 거리
measure-angle = 각도
measure-dihedral = 이면각
measure-clear = 잰 것 지우기
labels-name = 이름표
labels-hint = 선택한 것의 이름
labels-off = 이름표 없음
labels-residues = 잔기 이름
labels-atoms = 원자 이름
grain-atom = 원자
grain-residue = 잔기
grain-chain = 사슬
grain-molecule = 분자
colour-chain = 사슬
colour-entity = 개체
colour-secondary-structure = 이차 구조
colour-position = 사슬 속 위치
colour-residue-class = 잔기 종류
colour-hydropathy = 소수성
colour-charge = 전하
colour-element = 원소
colour-b-factor = B 인자
colour-plddt = pLDDT 구간
colour-plddt-scale = pLDDT 연속
colour-fluctuation = 요동 (RMSF)
legend-pose = 자세 { $rank }
legend-reference = 기준 리간드
legend-first = 첫 잔기
legend-last = 끝
legend-hydrophilic = 친수성
legend-hydrophobic = 소수성
legend-unnamed = 이름 없음
legend-helix = 나선
legend-strand = 가닥
legend-coil = 코일
legend-small = 작음
legend-polar = 극성
legend-negative = 음전하
legend-positive = 양전하
legend-other = 그 밖
legend-more = 그 밖에 { $count }개
readout-hovered = { $atom }
readout-clicked = 누른 원자: { $atom }
readout-atom = 사슬 { $chain } · { $residue } { $number } · { $atom }
readout-ligand = 리간드 · { $atom }
readout-reference = 기준 리간드 · { $atom }

## Results
result-provenance = { $engine }, 시드 { $seed }, 버전 { $version }에서 만듦
result-folder = 이 실행이 있는 곳
result-empty = 이 실행은 자세를 내놓지 않았어요
section-series = 리간드
section-poses = { $name }의 결합 자세
section-interactions = 상호작용 ({ $count })
section-checks = 통과한 검사: { $count }개 중 { $passed }개
column-ligand = 리간드
column-score = kcal/mol
column-score-hint = 도킹 점수: 결합 자유 에너지의 추정값으로, 낮을수록 좋아요
column-efficiency = LE
column-efficiency-hint = 리간드 효율: 점수를 무거운 원자 수로 나눈 값, kcal/mol
column-probability = P
column-probability-hint = 자세가 실제와 2 Å 안에 있을 확률(신경망의 판단)
column-pk = 예측 pK
column-pk-hint = 측정이 아니라 예측한 pK예요. ± 뒤는 신경망들이 서로 다른 정도이며, 오차는 더 클 수 있어요. 신경망이 없으면 에너지를 pK로 바꾼 값입니다.
column-measured = 측정 pK
column-measured-hint = 측정된 친화도(mol/L)의 -log10. 높을수록 세게 결합해요.
column-checks = 검사
column-checks-hint = 자세가 통과한 화학·물리 검사
section-complexes = K-Fold 샘플
section-complex-ligands = 이 샘플의 리간드
column-rank-complex-hint = 1은 모든 시드 가운데 순위 점수가 가장 높은 샘플
column-seed = 시드/번호
column-seed-hint = 시드와 그 시드의 샘플 번호
column-ranking = 순위 점수
column-ranking-hint = 0.8 ipTM + 0.2 pTM, 고분자끼리 겹치면 100을 뺌
column-plddt-hint = 원자 위치의 신뢰도, 0에서 100
column-iptm-hint = 사슬끼리의 배치 신뢰도, 0에서 1
column-ptm-hint = 전체 접힘의 신뢰도, 0에서 1
column-iptm-ligand-hint = 리간드와 고분자 사이의 가장 높은 ipTM, 0에서 1
column-docking-score = 도킹 kcal/mol
column-docking-score-hint = 예측된 자세를 도킹 엔진의 함수로 매긴 추정값이며 K-Fold의 값이 아니에요
complex-row = 샘플 { $rank }: 순위 점수 { $ranking }, pLDDT { $plddt }, ipTM { $iptm }
complex-ligand-row = { $name }: pLDDT { $plddt }, 검사 { $checks }개 중 { $passed }개 통과
complex-wrong-stereo = { $name }: { $atoms }의 입체 배치가 입력과 달라요
complex-clash = 이 샘플에서는 두 고분자가 서로 겹쳐요
complexes-units = pLDDT는 0에서 100, ipTM과 pTM은 0에서 1. 구조는 pLDDT로 색칠해요.
trust-complex = 신뢰도는 모델이 스스로 추정한 오차이며 측정값이 아니고, 친화도를 말해 주지 않아요
column-rank-hint = 신경망과 에너지에 따른 순위. 신경망을 끄면 에너지 순위
column-rmsd-best = 최고와
column-rmsd-best-hint = 가장 좋은 자세와의 RMSD (Å), 대칭을 고려함
column-rmsd-reference = 기준과
column-rmsd-reference-hint = 기준 리간드와의 RMSD (Å), 대칭을 고려함. 2 Å보다 작으면 같은 자세로 봅니다.
column-kind = 종류
column-residue = 잔기
column-distance = Å
column-distance-hint = 두 끝 사이의 거리 (Å)
column-angle = °
column-angle-hint = 이 종류를 판단하는 각도 (도)
column-check = 검사
column-value = 값
column-limit = 한계
ligand-row = { $name }: { $score } kcal/mol, 예측 pK { $pk }, 측정 pK { $measured }
pose-row = 자세 { $rank }: { $score } kcal/mol, 검사 { $checks }개 중 { $passed }개 통과
interaction-row = { $residue }와(과)의 { $kind }, { $distance } Å
check-row-passed = { $name }: 통과, { $value }, 한계 { $limit }
check-row-failed = { $name }: 실패, { $value }, 한계 { $limit }
poses-none = 상자 안에서 자세를 찾지 못했어요. 상자를 키우거나 단백질 위에 있는지 확인하세요.
poses-units = 점수와 LE는 kcal/mol, RMSD는 Å
interactions-none = 기준에 맞는 상호작용이 없어요
series-correlation = 리간드 { $count }개의 예측 pK와 측정 pK: 스피어만 { $spearman } (95 % { $interval }), 피어슨 { $pearson }, 켄달 { $kendall }. 무거운 원자 수만으로는 스피어만 { $heavy }
series-plot = 측정 pK에 대한 예측 pK
axis-measured = 측정 pK
axis-predicted = 예측 pK
trust-score = 경험 함수의 추정값이에요. 한 리간드의 자세를 줄 세우는 데 좋고, 리간드끼리 줄 세우는 데는 약하며, 측정된 친화도가 아닙니다.
trust-cnn = P와 pK는 알려진 복합체를 많이 본 신경망의 예측이에요. pK의 오차는 1~2쯤으로 보고, 낯선 표적이나 화학 구조에서는 더 크게 보세요.
trust-failed-checks = 이 자세는 아래 검사를 통과하지 못했어요. 점수를 믿기 전에 살펴보세요. 점수는 추정값이며 측정된 친화도가 아닙니다.
score-parts = 분자 사이 { $inter }, 리간드 안 { $intra } kcal/mol, { $rotatable ->
   *[other] 센 회전 결합 { $rotatable }개
}
interaction-hydrogen-bond = 수소 결합
interaction-water-bridge = 물 다리
interaction-salt-bridge = 염다리
interaction-pi-stacking = π 쌓임
interaction-cation-pi = 양이온–π
interaction-halogen-bond = 할로젠 결합
interaction-hydrophobic = 소수성
interaction-metal = 금속
interaction-weak-hydrogen-bond = 약한 수소 결합
interaction-clash = 충돌
check-sanitisation = 원자가 규칙
check-formula = 입력과 다른 원자
check-connectivity = 입력과 다른 결합
check-tetrahedral-stereo = 바뀐 입체 중심
check-double-bond-stereo = 뒤집힌 이중 결합
check-bond-lengths = 결합 길이, 이상값과의 비
check-bond-angles = 결합 각, 이상값과의 비
check-ring-planarity = 평평한 방향족 고리
check-double-bond-planarity = 평평한 이중 결합
check-internal-clash = 리간드 안의 접촉
check-energy-ratio = 에너지, 자유 형태와의 비
check-strain = 가장 안정한 자유 형태 대비 변형 에너지
check-protein-distance = 단백질과의 접촉
check-organic-cofactor-distance = 유기 보조인자와의 접촉
check-inorganic-cofactor-distance = 금속·이온과의 접촉
check-water-distance = 물과의 접촉
check-protein-overlap = 단백질과의 겹침
check-organic-cofactor-overlap = 유기 보조인자와의 겹침
check-inorganic-cofactor-overlap = 금속·이온과의 겹침
check-water-overlap = 물과의 겹침

## Ensembles
ensemble-conformers = 단백질 형태 (탄성 네트워크)
ensemble-morph = { $first }에서 { $second }까지
ensemble-show-morph = 두 상태 사이의 변화 보기
ensemble-file = { $name }의 모델
ensemble-show = 단백질 형태 보기
ensemble-hide = 결합 자세로 돌아가기
ensemble-close = 앙상블 닫기
ensemble-making = 모델을 비교하는 중…
ensemble-play = 재생
ensemble-pause = 일시 정지
ensemble-model = 모델
ensemble-place = { $count }개 중 { $number }번째 · 첫 모델과의 RMSD { $rmsd } Å
ensemble-rmsf = RMSF, Å
ensemble-note = 그래프를 누르면 그 잔기로 갑니다. 모델은 첫 모델에 겹쳐 두었어요.
ensemble-note-morph = 시뮬레이션이 아니라 보간한 경로예요. 가장 적게 움직이는 부분에 겹쳐 두었어요. 그래프를 누르면 그 잔기로 갑니다.
ensemble-show-models = 모델 비교

## Files
dialog-open = 쿼리, 구조, 리간드, 서열, 계열 열기
dialog-open-run = 실행 폴더 열기
dialog-structure = 단백질 구조 선택
dialog-ligand = 리간드 선택 (SDF 또는 MOL)
dialog-series = 리간드 계열 선택 (CSV, SMI, SDF)
dialog-pocket-ligand = 포켓을 나타내는 리간드 선택
dialog-apo = 비결합 구조 선택
dialog-save-query = 쿼리 저장
dialog-export-pdb = 구조 내보내기
dialog-export-sdf = 결합 자세 내보내기
dialog-export-csv = 표 내보내기
dialog-export-png = 그림 내보내기
dialog-files = 파일
dialog-cancel = 취소
path-hint = 이 데스크톱에는 파일 대화 상자가 없어요. 경로를 쓰거나 붙여 넣으세요.
path-field = 경로
path-open = 이 파일 열기
path-write = 이 파일에 쓰기
path-missing = 이 경로에는 아무것도 없어요
path-overwrites = 이미 있는 파일이며 바뀌게 됩니다
open-missing = { $path }에 아무것도 없어요. 경로를 확인하세요.
open-unknown = { $path }은(는) 열 수 있는 파일이 아니에요. PDB, mmCIF, SDF, FASTA, CSV, 쿼리(YAML 또는 JSON), 실행 폴더를 여세요.
written-to = { $path }에 저장했어요
drop-hint = 놓으면 열려요
notice-close = 이 알림 닫기
background-busy = 지금 읽는 것이 너무 많아요. 잠시 뒤에 다시 하세요.
background-crashed = 프로그램의 결함이에요 ({ $lane }): { $what }. 잃은 것은 없어요. 알려 주세요.

## Closing
close-title = K-Fold Studio를 닫을까요?
close-running = 예측이 진행 중이에요. 창이 없어도 계속될 수 있고, 나중에 폴더를 열면 결과를 볼 수 있어요.
close-unsaved = 쿼리에 저장되지 않은 변경이 있어요
close-keep-running = 계속 실행하고 닫기
close-cancel-run = 취소하고 닫기
close-save = 쿼리 저장
close-discard = 저장하지 않고 닫기
close-stay = 닫지 않기

## Help
help-title = 단축키와 마우스
help-orbit = 화면 돌리기
help-orbit-how = 끌기, 또는 화살표 키
help-pan = 화면 옮기기
help-pan-how = 오른쪽 단추로 끌기, 또는 Shift와 화살표 키
help-zoom = 확대와 축소
help-zoom-how = 휠, 또는 +와 −
help-centre = 원자를 가운데로
help-centre-how = 두 번 누르기
help-pick = 선택
help-pick-how = 누르기; Shift를 함께 누르면 더하거나 빼기
